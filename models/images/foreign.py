"""Messages for files in a format that is not read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from models.files.kinds import Family, kind_of
from models.images.errors import UnsupportedFormat

_SENTENCES: Final[Mapping[Family, str]] = {
    "empty": "The file is {what}; save, copy or download the picture again.",
    "pointer": "This is {what}, not the picture itself; fetch the picture with `git lfs pull`.",
    "page": "This is {what}, not a picture; save the picture itself, not the page that shows it.",
    "data": "This is {what}, not a picture; save or download the picture itself.",
    "picture": "This is {what}, which is not supported; save or export it as JPEG, PNG, APNG, WebP or GIF.",
    "drawing": "This is {what}, which is not supported; save or export it as JPEG, PNG, APNG, WebP or GIF.",
    "document": "This is {what}, not a picture; export the picture in it as JPEG, PNG, APNG, WebP or GIF.",
    "video": "This is {what}, not a picture; save one frame of it as JPEG, PNG, APNG, WebP or GIF.",
    "archive": "This is {what}, not a picture; unpack it and take the pictures in it one by one.",
    "weights": "This is {what}, not a picture; give a JPEG, PNG, APNG, WebP or GIF picture.",
}
_UNKNOWN: Final = "This is not a JPEG, PNG, APNG, WebP or GIF picture; save or export it as one of these."


def unsupported(data: bytes) -> UnsupportedFormat:
    """Return the error for a file in another format, which says what the file is and what to do."""
    kind = kind_of(data)
    return UnsupportedFormat(_UNKNOWN if kind is None else _SENTENCES[kind.family].format(what=kind.what))
