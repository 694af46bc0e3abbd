"""One entry of the corpus: the bytes somebody may send, and the answer they must get."""

from __future__ import annotations

from typing import NamedTuple

UNDECODABLE = (422, "undecodable")
TOO_MANY = (422, "too_many_pixels")
STRANGE = (415, "unsupported_format")
WRONG_TYPE = (415, "unsupported_media_type")
MALFORMED = (400, "malformed_multipart")
NO_FILE = (422, "missing_file")
SECOND_PART = (422, "unexpected_part")
FINE = (200, "")


class Case(NamedTuple):
    """A body and its fate."""

    name: str
    body: bytes
    fate: tuple[int, str] = FINE
    """The status, and the code of the problem; no code where it is a picture."""
    content_type: str = "image/png"
