"""The canary finds a model that computes other values."""

import contextlib
import io
import zipfile
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.bundle.canary import Arrays, check_canary, read_canary, smooth_picture, write_canary
from models.bundle.errors import BundleError

PIXELS = smooth_picture(16, 16, seed=3)[None]
OUTPUTS = {
    "image": 255 - PIXELS,
    "cam_logit": np.array([[2.0, -1.0]], np.float32),
    "attention": np.linspace(0, 5, 16, dtype=np.float32).reshape(1, 4, 4),
}


def model_returning(**changes: NDArray[Any]):  # type: ignore[no-untyped-def]
    def run(pixels: NDArray[np.uint8]) -> Arrays:
        assert np.array_equal(pixels, PIXELS)
        return {**OUTPUTS, **changes}

    return run


def canary() -> dict[str, NDArray[Any]]:
    return read_canary(write_canary(PIXELS, OUTPUTS))


def off_by(levels: int) -> NDArray[np.uint8]:
    return np.clip(OUTPUTS["image"].astype(int) + levels, 0, 255).astype(np.uint8)


def test_equal_outputs_pass() -> None:
    check_canary(canary(), model_returning(), exact=True)
    check_canary(canary(), model_returning(), exact=False)


def test_difference_of_one_level_passes_and_two_are_refused() -> None:
    check_canary(canary(), model_returning(image=off_by(1)), exact=True)
    with pytest.raises(BundleError, match="image differs by 2 levels"):
        check_canary(canary(), model_returning(image=off_by(2)), exact=True)


def test_lower_precision_needs_45_db() -> None:
    check_canary(canary(), model_returning(image=off_by(1)), exact=False)
    with pytest.raises(BundleError, match=r"of 4[0-4].* dB; at least 45"):
        check_canary(canary(), model_returning(image=off_by(2)), exact=False)


@pytest.mark.parametrize("name", ["cam_logit", "attention"])
def test_logits_and_maps_may_differ_by_a_thousandth(name: str) -> None:
    check_canary(canary(), model_returning(**{name: OUTPUTS[name] * np.float32(1.0009)}), exact=True)
    with pytest.raises(BundleError, match=f"{name} differs by"):
        check_canary(canary(), model_returning(**{name: OUTPUTS[name] * np.float32(1.002)}), exact=True)


@pytest.mark.parametrize("exact", [True, False])
def test_output_that_is_not_finite_is_refused(exact: bool) -> None:
    broken = OUTPUTS["attention"].copy()
    broken[0, 0, 0] = np.nan
    with pytest.raises(BundleError, match="attention is not finite"):
        check_canary(canary(), model_returning(attention=broken), exact=exact)


def test_output_of_another_shape_is_refused() -> None:
    with pytest.raises(BundleError, match="attention is missing or has another shape"):
        check_canary(canary(), model_returning(attention=np.ones((1, 2, 2), np.float32)), exact=True)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 torn", b"\x93NUMPY", write_canary(PIXELS, {})])
def test_file_that_is_not_a_canary_is_refused_with_one_sentence(data: bytes) -> None:
    with pytest.raises(BundleError, match=r"canary\.npz .*\.$"):
        read_canary(data)


@given(at=st.integers(0), value=st.integers(0, 255))
def test_canary_with_a_changed_byte_is_read_or_refused(at: int, value: int) -> None:
    data = bytearray(write_canary(PIXELS, OUTPUTS))
    data[at % len(data)] = value
    with contextlib.suppress(BundleError):
        read_canary(bytes(data))


def zipped(header: str, content: bytes) -> bytes:
    """Return a canary whose arrays have this header and content."""
    line = header.encode() + b"\n"
    array = b"\x93NUMPY\x01\x00" + len(line).to_bytes(2, "little") + line + content
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("pixels.npy", "image.npy"):
            archive.writestr(name, array)
    return file.getvalue()


@pytest.mark.parametrize(
    ("header", "content"),
    [
        ("{'descr': '|u1', 'fortran_order': False, 'shape': (9000000000000,)}", b""),
        ("{'descr': '|u1' 'x", b""),
        ("{'descr': '|u1', 'fortran_order': False, 'shape': (150000000,)}", bytes(150_000_000)),
    ],
    ids=["huge shape", "torn header", "bomb"],
)
def test_too_large_or_damaged_arrays_are_not_unpacked(header: str, content: bytes) -> None:
    with pytest.raises(BundleError, match="its arrays cannot be read"):
        read_canary(zipped(header, content))


def test_single_value_of_a_gated_map_may_jump_and_many_may_not() -> None:
    share = np.linspace(-5, 5, 400, dtype=np.float32).reshape(1, 20, 20)
    stored = read_canary(
        write_canary(PIXELS, {**OUTPUTS, "attention_average": share, "attention_local": share})
    )
    one, many = share.copy(), share.copy()
    one[0, 3, 3] += 0.2
    many[0, 3] += 0.2
    whole = {"attention_local": share}
    check_canary(stored, model_returning(**whole, attention_average=one), exact=True)
    for wrong in ({"attention_average": many}, {"attention_average": one + 1}, {"attention_local": one}):
        with pytest.raises(BundleError, match="differs by"):
            check_canary(
                stored, model_returning(**{**whole, "attention_average": share, **wrong}), exact=True
            )


def test_stored_style_is_an_input_and_no_output() -> None:
    style = np.ones((1, 8), np.float32)
    stored = read_canary(write_canary(PIXELS, OUTPUTS, style=style))

    def run(pixels: NDArray[np.uint8], code: NDArray[np.float32]) -> Arrays:
        assert np.array_equal(pixels, PIXELS)
        assert np.array_equal(code, style)
        return OUTPUTS

    assert check_canary(stored, run, exact=True) == np.inf
