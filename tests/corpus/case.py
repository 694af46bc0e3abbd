"""One entry of the corpus: a request body, and the response that it must get."""

from __future__ import annotations

from typing import NamedTuple

UNDECODABLE = (422, "undecodable")
TOO_MANY = (422, "too_many_pixels")
UNSUPPORTED = (415, "unsupported_format")
WRONG_TYPE = (415, "unsupported_media_type")
MALFORMED = (400, "malformed_multipart")
NO_FILE = (422, "missing_file")
SECOND_PART = (422, "unexpected_part")
OK = (200, "")


class Case(NamedTuple):
    """A request body and the expected response."""

    name: str
    body: bytes
    expected: tuple[int, str] = OK
    """The status, and the code of the problem; the code is empty for a picture."""
    content_type: str = "image/png"
