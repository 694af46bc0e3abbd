"""A model's outputs must match its manifest before it serves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.engine.directions.direction_state import State
from app.engine.directions.verification import (
    check_discriminators,
    check_generator,
    check_style_encoder,
    verify,
)
from app.engine.errors import NetworkDefunct
from app.engine.local_engine import open_engine
from app.engine.runtime.runtime import open_runtime
from app.engine.runtime.session import Execution, Outputs, Pixels, Shape, StyleCodes
from app.settings.settings import Settings
from models.bundle.canary import read_canary, smooth_picture
from models.bundle.declarations import Range, StyleInput
from models.bundle.directory import read_bundle, write_bundle
from models.bundle.errors import BundleError
from models.bundle.manifest import CANARY, DISCRIMINATORS
from models.storage.file_entry import entry_of
from tests.photos import photo
from tests.tiny_bundle import SIZE, generator, manifest, write_tiny_bundle


class Answering:
    """A model with constant outputs."""

    execution = Execution("CPUExecutionProvider", "float32")

    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs

    def run(self, _pixels: Pixels, _style: StyleCodes | None = None) -> Outputs:
        return self._outputs

    def terminate(self) -> None:
        return

    def prepare_shapes(self, _shapes: Iterable[Shape]) -> None:
        return


MAP = np.ones((1, 4, 4), np.float32)
JUDGED = {"attention_local": MAP, "attention_global": MAP, "logit_local": np.ones((1, 1, 2, 2), np.float32)}
MANIFEST = manifest("cat2dog", {"discriminators.onnx": b""}, attention=True, size=SIZE)

WRONG: Mapping[str, Mapping[str, NDArray[Any] | None]] = {
    "no map": {"attention": None},
    "map below its range": {"attention": -MAP},
    "image of another size": {"image": np.zeros((1, 8, 8, 3), np.uint8)},
    "image in floats": {"image": np.zeros((1, SIZE, SIZE, 3), np.float32)},
    "map of another rank": {"attention": np.ones((1, 1, 4, 4), np.float32)},
    "one logit": {"cam_logit": np.ones((1, 1), np.float32)},
}


def changed(outputs: Outputs, changes: Mapping[str, NDArray[Any] | None]) -> dict[str, NDArray[Any]]:
    return {name: values for name, values in {**outputs, **changes}.items() if values is not None}


@pytest.mark.parametrize("change", WRONG)
def test_a_generator_with_wrong_outputs_is_rejected_in_one_sentence(tmp_path: Path, change: str) -> None:
    bundle = read_bundle(write_tiny_bundle(tmp_path))
    canary = read_canary(bundle.files[CANARY])
    right = {name: values for name, values in canary.items() if name != "pixels"}
    bundle.manifest.maps[0] = bundle.manifest.maps[0].model_copy(update={"range": Range(low=0)})
    check_generator(Answering(right), bundle.manifest, canary)
    with pytest.raises(BundleError) as caught:
        check_generator(Answering(changed(right, WRONG[change])), bundle.manifest, canary)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_a_canary_without_the_style_that_its_generator_takes_is_rejected(tmp_path: Path) -> None:
    bundle = read_bundle(write_tiny_bundle(tmp_path))
    style = StyleInput(name="style", kind="style", dimension=8, prior="normal")
    manifest = bundle.manifest.model_copy(update={"inputs": [*bundle.manifest.inputs, style]})
    with pytest.raises(BundleError, match="style must be 8 float32 numbers, got none"):
        check_generator(Answering({}), manifest, read_canary(bundle.files[CANARY]))


@pytest.mark.parametrize(
    "outputs",
    [
        {},
        {"style": np.ones((1, 4), np.float32)},
        {"style": np.ones((1, 8))},
        {"style": np.full((1, 8), np.nan, np.float32)},
    ],
)
def test_a_style_encoder_without_a_finite_code_of_the_right_size_is_rejected(outputs: Outputs) -> None:
    style = StyleInput(name="style", kind="style", dimension=8, prior="normal")
    manifest = MANIFEST.model_copy(update={"inputs": [*MANIFEST.inputs, style]})
    pixels = smooth_picture(SIZE, SIZE, seed=0)[None]
    check_style_encoder(Answering({"style": np.ones((1, 8), np.float32)}), manifest, pixels)
    with pytest.raises(BundleError, match="style encoder"):
        check_style_encoder(Answering(outputs), manifest, pixels)


def test_outputs_that_the_manifest_does_not_declare_are_allowed(tmp_path: Path) -> None:
    bundle = read_bundle(write_tiny_bundle(tmp_path))
    other = bundle.manifest.model_copy(update={"maps": [], "logits": []})
    write_bundle(bundle.path, other, bundle.files)
    assert verify(bundle.path, open_runtime(Settings(provider="cpu")).open).psnr_db == np.inf


def test_a_declared_map_that_the_graph_lacks_is_rejected(tmp_path: Path) -> None:
    bundle = read_bundle(write_tiny_bundle(tmp_path))
    part = bundle.manifest.maps[0].model_copy(update={"name": "attention_average", "part": "average"})
    other = bundle.manifest.model_copy(update={"maps": [*bundle.manifest.maps, part]})
    write_bundle(bundle.path, other, bundle.files)
    with pytest.raises(BundleError, match="attention_average is missing among attention, cam_logit, image"):
        verify(bundle.path, open_runtime(Settings(provider="cpu")).open)


def test_a_canary_whose_size_differs_from_the_manifest_is_rejected(tmp_path: Path) -> None:
    bundle = read_bundle(write_tiny_bundle(tmp_path))
    canary = {**read_canary(bundle.files[CANARY]), "pixels": smooth_picture(16, 16, seed=0)[None]}
    with pytest.raises(BundleError, match=f"{SIZE} x {SIZE}"):
        check_generator(Answering({}), bundle.manifest, canary)


@pytest.mark.parametrize(
    "change",
    [
        {"attention_global": None},
        {"attention_local": MAP[0]},
        {"attention_local": MAP * np.float32(np.nan)},
        {"logit_local": np.full((1, 1, 2, 2), np.inf, np.float32)},
    ],
)
def test_discriminators_without_maps_or_with_infinite_values_are_rejected(
    change: Mapping[str, NDArray[Any] | None],
) -> None:
    pixels = smooth_picture(SIZE, SIZE, seed=0)[None]
    check_discriminators(Answering(JUDGED), MANIFEST, pixels)
    with pytest.raises(BundleError, match="discriminators"):
        check_discriminators(Answering(changed(JUDGED, change)), MANIFEST, pixels)


@pytest.mark.anyio
async def test_wrong_discriminators_fail_verify_and_degrade_a_service(tmp_path: Path) -> None:
    bundle = read_bundle(write_tiny_bundle(tmp_path))
    files = {**bundle.files, DISCRIMINATORS: generator()}
    entries = {name: entry_of(data) for name, data in files.items()}
    write_bundle(bundle.path, bundle.manifest.model_copy(update={"files": entries}), files)
    settings = Settings(bundles_dir=tmp_path, provider="cpu")
    runtime = open_runtime(settings)
    with pytest.raises(BundleError, match="attention_local is missing"):
        verify(bundle.path, runtime.open)
    engine = open_engine(settings, runtime)
    engine.start()
    await engine.wait_until_loaded()
    translation = await engine.translate("cat2dog", photo())
    with pytest.raises(NetworkDefunct):
        await engine.attention(translation.id, "local")
    (direction,) = engine.registry
    assert direction.state is State.DEGRADED
    assert "attention_local is missing" in str(direction.reason)
    await engine.translate("cat2dog", photo())
    engine.close()
