"""A model in the real onnxruntime."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from app.engine.runtime.runtime import open_runtime
from app.settings.settings import Settings
from tests.tiny_bundle import endless, generator


def test_a_terminated_session_can_run_again(
    capfd: pytest.CaptureFixture[str],
) -> None:
    session = open_runtime(Settings(provider="cpu")).open(endless())
    pixels = np.zeros((1, 4, 4, 3), np.uint8)
    for _ in range(2):
        ended = threading.Event()

        def terminate(ended: threading.Event = ended) -> None:
            while not ended.wait(0.05):  # again, because one before the run begins has no effect
                session.terminate()

        terminating = threading.Thread(target=terminate)
        terminating.start()
        with pytest.raises(Exception, match="terminate flag"):
            session.run(pixels)
        ended.set()
        terminating.join()
    assert capfd.readouterr() == ("", "")


def test_a_session_reports_its_outputs_and_its_provider() -> None:
    session = open_runtime(Settings(provider="cpu")).open(generator())
    assert session.execution.provider == "CPUExecutionProvider"
    outputs = session.run(np.zeros((2, 16, 8, 3), np.uint8))
    assert {name: value.shape for name, value in outputs.items()} == {
        "image": (2, 16, 8, 3),
        "attention": (2, 2, 1),
        "cam_logit": (2, 2),
    }
