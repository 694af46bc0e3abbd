"""`ugatit-train wrap`: a bundle of any ONNX translator answers as the model itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from app.engine.directions.verification import verify
from app.engine.runtime.runtime import open_runtime
from app.settings.settings import Settings
from models.bundle.canary import smooth_picture
from models.bundle.directory import read_bundle
from models.bundle.manifest import GENERATOR
from tests.training.command import typed
from tests.wrapping.making import COLOURS, Translator, translator, write
from training.export.parity import cpu_session, run
from training.wrapping.convention import RANGES


def wrapped(tmp_path: Path, kind: Translator, *options: str, model: onnx.ModelProto | None = None) -> Path:
    """Wrap a model that must be accepted; return its bundle."""
    file = write(tmp_path / "mine.onnx", model or translator(kind))
    code, _, error = typed(
        "wrap", file, "--direction", "photo2cartoon", "--out", tmp_path / "bundles", *options
    )
    assert (code, error) == (0, "")
    return tmp_path / "bundles" / "photo2cartoon"


def refused(tmp_path: Path, file: Path, *options: str) -> str:
    """Return the one sentence of a model that must be refused; nothing is written."""
    code, _, error = typed(
        "wrap", file, "--direction", "photo2cartoon", "--out", tmp_path / "bundles", *options
    )
    assert (code, error.count("\n")) == (2, 1)
    assert not (tmp_path / "bundles").exists()
    return error


def answers(bundle: Path, pixels: NDArray[np.uint8]) -> dict[str, NDArray[np.generic]]:
    return run(cpu_session(read_bundle(bundle).files[GENERATOR]), pixels)


def expected(pixels: NDArray[np.uint8], kind: Translator) -> NDArray[np.float64]:
    """Return the translation in levels, computed from the definition of the test's translators."""
    low, high = RANGES[kind.range]
    ordered = pixels[..., ::-1] if kind.channels == "bgr" else pixels
    centred = ordered / 255 * (high - low) + low - (low + high) / 2
    mixed = centred @ COLOURS.T.astype(float) * 0.9
    values = np.tanh(mixed) if kind.last == "Tanh" else mixed + (low + high) / 2
    levels = (values - low) / (high - low) * 255
    return levels[..., ::-1] if kind.channels == "bgr" else levels


@pytest.mark.parametrize("opset", [11, 12, 13, 17, 18, 21, 25])
@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_bundle_computes_the_translation_in_every_opset_and_layout(
    tmp_path: Path, opset: int, layout: str
) -> None:
    kind = Translator(layout=layout, opset=opset)  # type: ignore[arg-type]
    bundle = wrapped(tmp_path, kind, "--range=-1,1", "--size=32")
    pixels = np.stack([smooth_picture(32, 32, seed=seed) for seed in range(3)])
    image = answers(bundle, pixels)["image"]
    assert np.abs(image - expected(pixels, kind)).max() <= 0.51


@pytest.mark.parametrize("value_range", ["-1,1", "0,1", "0,255"])
@pytest.mark.parametrize("channels", ["rgb", "bgr"])
def test_ranges_and_orders_of_colours_are_converted(tmp_path: Path, value_range: str, channels: str) -> None:
    kind = Translator(range=value_range, channels=channels)  # type: ignore[arg-type]
    bundle = wrapped(tmp_path, kind, f"--range={value_range}", f"--channels={channels}", "--size=16")
    pixels = smooth_picture(16, 16, seed=4)[None]
    assert np.abs(answers(bundle, pixels)["image"] - expected(pixels, kind)).max() <= 0.51


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (Translator(last="Tanh"), "-1,1"),
        (Translator(last="Sigmoid", range="0,1"), "0,1"),
        (Translator(range="0,255", size=16), "0,255"),
    ],
)
def test_range_is_guessed_from_the_last_operator_or_the_values(
    tmp_path: Path, kind: Translator, found: str
) -> None:
    manifest = read_bundle(wrapped(tmp_path, kind)).manifest
    assert manifest.architecture["output_range"] == found
    assert manifest.architecture["input_range"] == found


def test_guesses_are_printed(tmp_path: Path) -> None:
    file = write(tmp_path / "mine.onnx", translator(Translator(last="Tanh")))
    _, out, _ = typed("wrap", file, "--direction", "photo2cartoon", "--out", tmp_path / "bundles")
    for guess in ("Layout: nchw", "Size: 256 px", "Values of pictures: -1,1", "Order of the colours: rgb"):
        assert f"Guessed: {guess}" in out


def test_service_verifies_and_serves_the_bundle_at_any_size(tmp_path: Path) -> None:
    bundle = wrapped(tmp_path, Translator(last="Tanh"), "--size=32")
    verification = verify(bundle, open_runtime(Settings(provider="cpu")).open)
    assert verification.psnr_db > 60
    manifest = verification.bundle.manifest
    assert (manifest.method, manifest.image.fixed, manifest.image.width) == ("external", False, 32)
    assert manifest.training.checkpoint_sha256 is not None
    assert "a model from elsewhere" in verification.bundle.card
    pixels = smooth_picture(40, 36, seed=2)[None]
    assert answers(bundle, pixels)["image"].shape == (1, 40, 36, 3)


@pytest.mark.parametrize("kind", [Translator(batch=1, size=16), Translator(mixes_batch=True, size=16)])
def test_pictures_of_a_batch_are_translated_one_by_one_where_the_model_needs_that(
    tmp_path: Path, kind: Translator
) -> None:
    bundle = wrapped(tmp_path, kind, "--range=-1,1")
    pixels = np.stack([smooth_picture(16, 16, seed=seed) for seed in range(3)])
    together = answers(bundle, pixels)["image"]
    alone = np.concatenate([answers(bundle, picture[None])["image"] for picture in pixels])
    assert np.array_equal(together, alone)
    assert read_bundle(bundle).manifest.image.fixed


def test_half_precision_model_is_wrapped(tmp_path: Path) -> None:
    kind = Translator(half=True, last="Tanh")
    pixels = smooth_picture(16, 16, seed=1)[None]
    image = answers(wrapped(tmp_path, kind, "--size=16"), pixels)["image"]
    assert np.abs(image - expected(pixels, kind)).max() <= 1.5


def test_heat_map_of_the_model_is_declared_and_answered(tmp_path: Path) -> None:
    options = ("--range=-1,1", "--size=16", "--output=output", "--attention=mask", "--attention-kind=mask")
    bundle = wrapped(tmp_path, Translator(mask=True), *options)
    (declared,) = read_bundle(bundle).manifest.maps
    assert (declared.kind, declared.range.low, declared.range.high) == ("mask", 0, 1)
    found = answers(bundle, smooth_picture(16, 16, seed=1)[None])["attention"]
    assert (found.shape, found.dtype) == ((1, 16, 16), np.float32)
    verify(bundle, open_runtime(Settings(provider="cpu")).open)


def test_tensors_in_other_files_are_taken_in(tmp_path: Path) -> None:
    model = translator(Translator(last="Tanh"))
    file = tmp_path / "mine.onnx"
    onnx.save_model(model, file, save_as_external_data=True, location="weights.bin", size_threshold=0)
    code, _, error = typed(
        "wrap", file, "--direction", "photo2cartoon", "--out", tmp_path / "bundles", "--size=16"
    )
    assert (code, error) == (0, "")
    verify(tmp_path / "bundles" / "photo2cartoon", open_runtime(Settings(provider="cpu")).open)


def test_missing_tensor_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.onnx"
    onnx.save_model(
        translator(Translator()), file, save_as_external_data=True, location="weights.bin", size_threshold=0
    )
    (tmp_path / "weights.bin").unlink()
    assert "keeps tensors in other files" in refused(tmp_path, file)


def test_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    for content in (b"", b"not a model", bytes(1000)):
        file = tmp_path / "mine.onnx"
        file.write_bytes(content)
        assert "is not an ONNX model" in refused(tmp_path, file)


def classifier() -> onnx.ModelProto:
    """Return a model that returns two numbers for a picture."""
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["input"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["scores"]),
        ],
        "classifier",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 16, 16])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 3])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def of_opset(opset: int) -> onnx.ModelProto:
    model = translator(Translator())
    model.opset_import[0].version = opset
    return model


@pytest.mark.parametrize(
    ("model", "options", "sentence"),
    [
        (classifier(), (), "returns a picture of the input's size"),
        (of_opset(9), (), "uses opset 9; expected 11 to"),
        (translator(Translator(size=16)), ("--size=32",), "takes 16 x 16 px only, got --size 32"),
        (translator(Translator(size=18)), (), "must be multiples of 4, got 18 x 18"),
        (translator(Translator(size=16)), ("--layout=nhwc",), "three colours in the layout nhwc"),
        (translator(Translator()), ("--output=nothing",), "no output nothing; --output can be output"),
        (translator(Translator()), ("--attention=nothing",), "no output nothing; --attention can be output"),
        (translator(Translator()), ("--attention=output",), "one value at each place"),
        (translator(Translator()), ("--size=33",), "expected a multiple of 4"),
    ],
)
def test_wrong_model_or_option_is_one_sentence(
    tmp_path: Path, model: onnx.ModelProto, options: tuple[str, ...], sentence: str
) -> None:
    assert sentence in refused(tmp_path, write(tmp_path / "mine.onnx", model), *options)
