"""Pictures that once caused an error: each must be decoded, or refused with one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.images.decode import PictureError, PictureLimits, decode

HERE = Path(__file__).parent


def test_exif_data_in_an_unhandled_marker_raises_no_warning() -> None:
    # Found by mutation: a segment longer than it should be made Pillow read incomplete EXIF data and warn.
    data = (HERE / "exif_in_an_unhandled_marker.jpg").read_bytes()
    with pytest.raises(PictureError, match="damaged or incomplete"):
        decode(data, limits=PictureLimits())
