"""Encode a gallery's pictures within a number of bytes."""

from __future__ import annotations

from typing import Final

from models.images.encode import encode
from models.images.frame import resize
from training.evaluation.data import Pixels
from training.evaluation.errors import EvaluationError

BUDGET_BYTES: Final = 24_000_000
"""Bytes of all pictures; base64 takes a third more, so the page stays below 33 MB."""
LONGEST: Final = 256
"""Longest side of a picture in pixels."""
_LEAST_BYTES: Final = 3_000
"""Least bytes for a picture: enough for any one of 48 pixels, in a low quality."""
_QUALITIES: Final = (88, 75, 60, 40)


def bytes_each(count: int, *, rows: int) -> int:
    """Return the bytes that each of `count` pictures may take.

    Args:
        count: pictures of the page.
        rows: test pictures of the largest direction, of which each has a row of pictures.

    Raises:
        EvaluationError: they would be too small to look at.
    """
    each = BUDGET_BYTES // max(1, count)
    if each < _LEAST_BYTES:
        most = max(1, rows * each // _LEAST_BYTES)
        raise EvaluationError(
            f"A page holds at most {BUDGET_BYTES // _LEAST_BYTES:,} pictures, and these columns need "
            f"{count:,}; give --limit {most}, or fewer runs, bundles and checkpoints."
        )
    return each


def encode_within(pixels: Pixels, most_bytes: int) -> bytes:
    """Encode a picture, uint8 [H, W, 3], as JPEG in the best quality and size that the bytes allow."""
    side = min(LONGEST, max(pixels.shape[:2]))
    while True:
        smaller = _shrunk(pixels, side)
        for quality in _QUALITIES:
            data = encode(smaller, "image/jpeg", quality=quality)
            if len(data) <= most_bytes:
                return data
        if side <= 48:
            return data
        side //= 2


def _shrunk(pixels: Pixels, side: int) -> Pixels:
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels
    return resize(pixels, height=max(1, round(height * scale)), width=max(1, round(width * scale)))
