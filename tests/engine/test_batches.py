"""A picture's translation does not depend on its batch: the shipped bundle in onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest

from app.engine.runtime.runtime import open_runtime
from app.engine.runtime.session import Model
from app.settings.settings import Settings
from models.bundle.canary import smooth_picture
from models.bundle.directory import read_bundle
from models.bundle.manifest import GENERATOR
from tests.cli.command import ROOT

SHIPPED = ROOT / "bundles" / "selfie2anime"


@pytest.fixture(scope="module")
def session() -> Model:
    settings = Settings(provider="cpu", intra_op_threads=1)
    return open_runtime(settings).open(read_bundle(SHIPPED).files[GENERATOR])


@pytest.mark.parametrize("size", [2, 3, 4])
def test_batched_outputs_equal_single_ones(session: Model, size: int) -> None:
    side = read_bundle(SHIPPED).manifest.image.height
    pictures = np.stack([smooth_picture(side, side, seed=seed) for seed in range(size)])
    together = session.run(pictures)
    for index in range(size):
        alone = {name: outputs[0] for name, outputs in session.run(pictures[index : index + 1]).items()}
        # onnxruntime's order of summation depends on the shape, so a value between two levels may differ.
        levels = np.abs(together["image"][index].astype(int) - alone["image"])
        assert levels.max() <= 1
        assert (levels == 0).mean() > 0.999
        for name in ("attention", "cam_logit"):
            largest = np.abs(alone[name]).max()
            np.testing.assert_allclose(together[name][index], alone[name], rtol=0, atol=1e-4 * largest)
