"""A model that is wrong at a lower precision is served in float32, with the reason."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.engine.directions.direction_state import State
from app.engine.directions.verification import verify
from app.engine.local_engine import LocalEngine, open_engine
from app.engine.runtime import runtime
from app.engine.runtime.providers import TENSORRT
from app.engine.runtime.runtime import open_runtime
from app.engine.runtime.session import Outputs, Pixels, StyleCodes
from app.settings.settings import Settings
from models.bundle.canary_pictures import DRAWN, SOURCE, Kind, picture_arrays
from tests.engine.test_runtime import CPU, CUDA, DEVICE_AND_TENSORRT, FakeOnnxruntime, install
from tests.fake_engine import (
    FAKE_PROVIDER,
    FAKE_SIZE,
    FakeModel,
    fake_engine,
    fake_outputs,
    write_fake_bundle,
)
from tests.photos import photo

__all__ = ["install"]  # the fixture

pytestmark = pytest.mark.anyio


async def load(model: FakeModel, tmp_path: Path, precision: str, rounding: int) -> LocalEngine:
    model.precision, model.rounding = precision, rounding
    engine = fake_engine(Settings(bundles_dir=tmp_path / "bundles"), model)
    await engine.registry.load()
    return engine


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
async def test_a_model_whose_precision_is_too_low_is_ready_in_float32_with_the_reason(
    model: FakeModel, tmp_path: Path, caplog: pytest.LogCaptureFixture, precision: str
) -> None:
    engine = await load(model, tmp_path, precision, rounding=40)
    (direction,) = engine.registry
    assert (direction.state, direction.execution) == (State.READY, (FAKE_PROVIDER, "float32"))
    assert f"It runs in float32 instead of {precision}: The canary's" in str(direction.reason)
    assert f"in float32 instead of {precision}" in caplog.text
    translation = await engine.translate("cat2dog", photo())
    assert (translation.entry.translation == 255 - translation.entry.source.pixels).all()
    engine.close()


async def test_a_model_that_passes_keeps_the_lower_precision(model: FakeModel, tmp_path: Path) -> None:
    engine = await load(model, tmp_path, "bfloat16", rounding=0)
    (direction,) = engine.registry
    assert (direction.state, direction.execution) == (State.READY, (FAKE_PROVIDER, "bfloat16"))
    assert direction.reason is None
    engine.close()


@pytest.mark.parametrize(
    ("kind", "rounding", "reason"),
    [
        (SOURCE, 0, None),
        (SOURCE, 1, "natural pictures have a PSNR of 48.1 dB; at least 50 dB"),
        (DRAWN, 0, None),
        (None, 0, "no natural pictures; add some with ugatit-train canary"),
    ],
)
async def test_automatic_bfloat16_needs_50_db_on_natural_pictures(
    model: FakeModel, tmp_path: Path, kind: Kind | None, rounding: int, reason: str | None
) -> None:
    pixels = np.zeros((2, FAKE_SIZE, FAKE_SIZE, 3), np.uint8)
    pictures = picture_arrays(kind, pixels, 255 - pixels - np.uint8(rounding)) if kind is not None else {}
    write_fake_bundle(tmp_path / "bundles", pictures=pictures)
    model.automatic_precision = True
    engine = await load(model, tmp_path, "bfloat16", rounding=0)
    (direction,) = engine.registry
    precision = "float32" if reason else "bfloat16"
    assert (direction.state, direction.execution) == (State.READY, (FAKE_PROVIDER, precision))
    assert str(direction.reason).endswith(".") if reason else direction.reason is None
    assert reason is None or reason in str(direction.reason)
    engine.close()


async def test_a_replaced_model_stays_in_float32(model: FakeModel, tmp_path: Path) -> None:
    engine = await load(model, tmp_path, "bfloat16", rounding=40)
    opened = model.opened
    model.failures = 1
    await engine.translate("cat2dog", photo())
    (direction,) = engine.registry
    assert (direction.state, direction.execution) == (State.READY, (FAKE_PROVIDER, "float32"))
    assert model.opened == opened + 1
    engine.close()


async def test_a_replaced_model_whose_precision_is_too_low_runs_in_float32(
    model: FakeModel, tmp_path: Path
) -> None:
    engine = await load(model, tmp_path, "bfloat16", rounding=0)
    model.failures, model.rounding = 1, 40
    await engine.translate("cat2dog", photo())
    (direction,) = engine.registry
    assert (direction.state, direction.execution) == (State.READY, (FAKE_PROVIDER, "float32"))
    engine.close()


async def test_a_bundle_that_is_wrong_in_float32_too_is_defunct(tmp_path: Path) -> None:
    class Wrong(FakeModel):
        def run(self, pixels: Pixels, style: StyleCodes | None = None) -> Outputs:
            return {**super().run(pixels, style), "image": pixels}

    model = Wrong()
    engine = await load(model, tmp_path, "bfloat16", rounding=0)
    (direction,) = engine.registry
    assert direction.state is State.DEFUNCT
    assert "differs by" in str(direction.reason)
    engine.close()


class Coarse:
    """A fake session on a GPU, which overflows in float16."""

    def __init__(self, opened: Any, _shape: object, *, precision: str, **_: object) -> None:
        assert (opened.options["trt_fp16_enable"] == "1") == (precision == "float16")
        self.precision = precision

    def run(self, pixels: Pixels, _style: StyleCodes | None = None) -> Outputs:
        outputs = fake_outputs(pixels)
        if self.precision == "float16":
            outputs = {name: np.zeros_like(values) for name, values in outputs.items()}
            outputs["cam_logit"] += np.float32(np.inf)
        return {name: outputs[name] for name in ("image", "attention", "cam_logit")}

    def terminate(self) -> None:
        return


@pytest.fixture
def float16(install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:  # type: ignore[no-untyped-def]
    install(FakeOnnxruntime({TENSORRT, CUDA, CPU}), DEVICE_AND_TENSORRT)
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "?")
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE")
    monkeypatch.setattr(runtime, "BoundSession", Coarse)
    bundle = write_fake_bundle(tmp_path)
    without_discriminators(bundle)
    return Settings(bundles_dir=tmp_path, precision="float16", max_batch=2, devices="1,3")


def without_discriminators(bundle: Path) -> None:
    manifest = bundle / "manifest.json"
    document = json.loads(manifest.read_text())
    del document["files"]["discriminators.onnx"]
    document["maps"] = [each for each in document["maps"] if each["network"] == "generator"]
    manifest.write_text(json.dumps(document))
    (bundle / "discriminators.onnx").unlink()


async def test_on_a_gpu_what_overflows_in_float16_is_served_in_float32(
    float16: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    engine = open_engine(float16, open_runtime(float16))
    await engine.registry.load()
    (direction,) = engine.registry
    assert (direction.state, direction.execution) == (State.READY, (TENSORRT, "float32"))
    assert "in float32 instead of float16" in str(direction.reason)
    assert os.environ["NVIDIA_TF32_OVERRIDE"] == "0", "or float32 would have ten bits of mantissa"
    translation = await engine.translate("cat2dog", photo())
    assert (translation.entry.translation == 255 - translation.entry.source.pixels).all()
    engine.close()


def test_verify_reports_that_float16_is_wrong(float16: Settings) -> None:
    verified = verify(float16.bundles_dir / "cat2dog", open_runtime(float16).open)
    assert verified.execution.precision == "float32"
    assert "in float32 instead of float16" in str(verified.float32_reason)
