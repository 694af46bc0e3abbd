from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from models.images.encode import MediaType, encode, extension
from tests.images.drawing import flat, gradient

MEDIA_TYPES: list[MediaType] = ["image/png", "image/jpeg", "image/webp"]


def _read(data: bytes) -> tuple[str | None, np.ndarray]:
    image = Image.open(BytesIO(data))
    return image.get_format_mimetype(), np.asarray(image)


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_picture_is_encoded_in_the_requested_format(media_type: MediaType) -> None:
    drawn = gradient(48, 64)
    kind, read = _read(encode(drawn, media_type))
    assert kind == media_type
    assert (
        np.abs(read.astype(int) - drawn).max()
        <= {"image/png": 0, "image/jpeg": 8, "image/webp": 16}[media_type]
    )


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_view_of_a_larger_picture_can_be_encoded(media_type: MediaType) -> None:
    part = gradient(64, 64)[8:40, 8:40]
    assert _read(encode(part, media_type))[1].shape == (32, 32, 3)


def test_jpeg_keeps_thin_coloured_lines() -> None:
    drawn = flat(64, 64, (255, 255, 255))
    drawn[:, ::8] = (255, 0, 0)
    line = _read(encode(drawn, "image/jpeg"))[1][:, ::8]
    assert line[..., 0].min() > 230
    assert line[..., 1:].max() < 40


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/webp"])
def test_lower_quality_gives_smaller_files(media_type: MediaType) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    sizes = [len(encode(noise, media_type, quality=quality)) for quality in (20, 60, 95)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2] / 2


def test_each_media_type_has_its_suffix() -> None:
    assert [extension(media_type) for media_type in MEDIA_TYPES] == [".png", ".jpg", ".webp"]
