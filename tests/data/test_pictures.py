"""Test that training decodes every kind of picture as the service does."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.images.decode import PictureLimits, decode
from tests.data.making import CONFIG, SOME, drawn, make_folder
from tests.images.drawing import exif, file, png_by_hand
from training.data import sample_pictures
from training.data.scan import ScanResult, scan
from training.data.stream import Stream
from training.data.tensors import to_tensor

GREY = np.arange(0, 256, 4, dtype=np.uint8).reshape(8, 8)
RGB = drawn(5, 8, 8)
SIXTEEN_BITS = b"".join(
    b"\0" + np.repeat(row, 2).tobytes() for row in GREY
)  # each byte twice is its level of 65,535


def with_test_picture(root: Path, name: str, data: bytes) -> ScanResult:
    folder = make_folder(root, SOME | {"testA": 0})
    (folder / "testA" / name).write_bytes(data)
    return scan(folder)


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("grey.png", file(Image.fromarray(GREY), "PNG"), np.dstack([GREY] * 3)),
        ("16-bit.png", png_by_hand(8, 8, depth=16, colour_type=0, rows=SIXTEEN_BITS), np.dstack([GREY] * 3)),
        ("turned.webp", file(np.rot90(RGB).copy(), "WEBP", exif=exif(6)), RGB),
        ("turned.png", file(np.rot90(RGB, 2).copy(), "PNG", exif=exif(3)), RGB),
        ("clear.png", file(np.dstack([RGB, np.zeros_like(GREY)]), "PNG"), np.full_like(RGB, 255)),
        (
            "cmyk.jpg",
            file(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"),
            np.full((8, 8, 3), (255, 0, 0), np.uint8),
        ),
    ],
)
def test_every_kind_of_picture_is_decoded_as_in_the_service(
    tmp_path: Path, name: str, data: bytes, expected: np.ndarray
) -> None:
    pictures = with_test_picture(tmp_path, name, data)
    batch = sample_pictures.test_batch(pictures, "A", 1, size=8)
    assert torch.allclose(batch, to_tensor([expected]), atol=2.5 / 127.5)
    as_served = decode(data, limits=PictureLimits())
    assert torch.equal(batch, to_tensor([as_served]))


def test_pictures_smaller_than_the_crop_are_enlarged(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    for path in (folder / "trainA").iterdir():
        Image.fromarray(drawn(1, 3, 5)).save(path)
    with Stream(scan(folder), CONFIG, seed=1) as stream:
        batch = stream.next_batch(4)["A"]
    assert batch.shape == (4, 3, 16, 16)
    assert batch.std() > 0.1


def test_sample_pictures_are_whole_unaugmented_and_spread_over_the_domain(tmp_path: Path) -> None:
    pictures = scan(make_folder(tmp_path, SOME | {"testA": 9}))
    batch = sample_pictures.test_batch(pictures, "A", 3, size=16)
    whole = [np.asarray(Image.open(pictures.test["A"][index]).resize((16, 16), 2)) for index in (1, 4, 7)]
    assert torch.equal(batch, to_tensor(whole))
    assert torch.equal(sample_pictures.test_batch(pictures, "A", 3, size=16), batch)


def test_sample_pictures_are_limited_to_the_existing_ones(tmp_path: Path) -> None:
    pictures = scan(make_folder(tmp_path))
    assert sample_pictures.test_batch(pictures, "B", 8, size=16).shape == (3, 3, 16, 16)
    assert sample_pictures.train_batch(pictures, "B", 8, size=16).shape == (7, 3, 16, 16)
