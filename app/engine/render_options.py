"""How an answer's pictures are rendered, in the words that the commands and HTTP requests share."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from models.images.encode import MediaType
from models.images.heatmap import Colormap

View = Literal["overlay", "heatmap"]
Base = Literal["source", "translation"]
Format = Literal["png", "jpeg", "webp", "gif"]

MEDIA_TYPES: Final[dict[Format, MediaType]] = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
}


class EncodedPicture(NamedTuple):
    """A picture as the bytes of a file."""

    media_type: MediaType
    width: int
    height: int
    data: bytes


class RenderOptions(NamedTuple):
    """The format of a picture, and the colours of a heat map."""

    media_type: MediaType = "image/png"
    quality: int = 90
    """1 to 100, for JPEG and WebP."""
    alpha: float = 0.5
    """The opacity of the colours in an overlay, 0 to 1."""
    colormap: Colormap = "jet"
