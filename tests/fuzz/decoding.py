"""Fuzz the decoder: `python -W error -m tests.fuzz.decoding -runs=100000`."""

from __future__ import annotations

import atheris

with atheris.instrument_imports(include=["models.images"]):
    from models.images.decode import PictureError, PictureLimits, decode

from tests.corpus import jpegs, pngs, webps
from tests.fuzz.targets import check_sentence, fuzz

LIMITS = PictureLimits(max_pixels=1_000_000)


def one_input(data: bytes) -> None:
    """Check that bytes are decoded to `[H, W, 3]` within the limits, or refused with one sentence."""
    try:
        picture = decode(data, limits=LIMITS, enough_side=64)
    except PictureError as refusal:
        check_sentence(refusal)
        return
    height, width, channels = picture.shape
    assert channels == 3
    assert 0 < height * width <= LIMITS.max_pixels


def seeds() -> list[bytes]:
    """Return the small files of the corpus, intact and damaged."""
    bodies = [case.body for group in (jpegs, pngs, webps) for case in group.cases()]
    return [body for body in bodies if len(body) < 3000]


if __name__ == "__main__":
    fuzz(one_input, seeds())
