"""Encode a gallery's pictures within a number of bytes."""

from __future__ import annotations

from typing import Final, NamedTuple

from models.bundle.declarations import PARTS, HeatMap
from models.images.encode import encode
from models.images.frame import resize
from training.evaluation.data import Pixels
from training.evaluation.errors import EvaluationError
from training.gallery.heat_maps import BYTES, NETWORKS

BUDGET_BYTES: Final = 24_000_000
"""Bytes of all pictures; base64 takes a third more, so the page stays below 33 MB."""
LONGEST: Final = 256
"""Longest side of a picture in pixels."""
_LEAST_BYTES: Final = 3_000
"""Least bytes for a picture: enough for any one of 48 pixels, in a low quality."""
_ALL: Final = len(NETWORKS) * len(PARTS)
_LEFT_OUT: Final = {
    _ALL: "",
    len(NETWORKS): "the parts of heat maps",
    1: "the discriminators' heat maps and all parts",
}
"""What a page leaves out that has so many heat maps of a translation."""
_QUALITIES: Final = (88, 75, 60, 40)


class Sizes(NamedTuple):
    """How many bytes a page spends on what."""

    picture_bytes: int
    """Most bytes of a picture."""
    maps: int
    """Heat maps of a translation: every part of three networks, their whole maps, or the generator's."""

    def shows(self, declared: HeatMap) -> bool:
        """Return whether the page has a heat map."""
        if declared.part != "both":
            return self.maps == _ALL
        return self.maps > 1 or declared.network == "generator"

    @property
    def remark(self) -> str:
        """What is left out; empty if nothing is."""
        left_out = _LEFT_OUT[self.maps]
        return f"Left out, because there are so many pictures: {left_out}." if left_out else ""


def plan_sizes(sources: int, translations: int, *, rows: int) -> Sizes:
    """Return the sizes of the pictures of a page, which leaves out the parts of heat maps before pictures.

    Args:
        sources: test pictures of the page.
        translations: how often one of them is translated; each has a reconstruction too.
        rows: test pictures of the largest direction, of which each has a row of pictures.

    Raises:
        EvaluationError: the pictures would be too small to look at.
    """
    pictures = sources + 2 * translations
    for maps in _LEFT_OUT:
        each = (BUDGET_BYTES - maps * translations * BYTES) // max(1, pictures)
        if each >= _LEAST_BYTES:
            return Sizes(each, maps)
    needed = pictures * _LEAST_BYTES + maps * translations * BYTES
    raise EvaluationError(
        f"A page holds at most {BUDGET_BYTES / 1e6:g} MB of pictures, and these {pictures:,} with their heat "
        f"maps need {needed / 1e6:,.0f} MB; give --limit {max(1, rows * BUDGET_BYTES // needed)}, or fewer "
        "runs, bundles and checkpoints."
    )


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
