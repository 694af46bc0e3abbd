"""Pictures that once did what no picture may: each must be read, or refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.images.decode import PictureError, PictureLimits, decode

HERE = Path(__file__).parent


def test_exif_data_hidden_in_a_marker_that_is_not_read_raises_no_warning() -> None:
    # Found by mutation: a length that reaches over the next marker let Pillow meet torn EXIF data and warn.
    data = (HERE / "exif_in_an_unhandled_marker.jpg").read_bytes()
    with pytest.raises(PictureError, match="damaged or incomplete"):
        decode(data, limits=PictureLimits())
