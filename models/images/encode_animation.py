"""Encode pictures as the bytes of an animated file, without metadata."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from itertools import accumulate, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.images.encode import MediaType, quantized
from models.images.encode_png_animation import encode_png_animation
from models.images.timing import Timing

ANIMATED_TYPES: Final[tuple[MediaType, ...]] = ("image/gif", "image/webp", "image/png")
"""The formats of animations."""
_GIF_STEP_MS: Final = 10


def encode_animation(
    frames: Iterable[NDArray[np.uint8]], timing: Timing, media_type: MediaType, *, quality: int = 90
) -> bytes:
    """Encode pictures of one size, each uint8 [H, W, 3] RGB, as an animation.

    Each frame covers the whole picture, so no player needs the disposal of the source. Frames that are equal
    to the one before them may become one that is shown as long. A GIF has at most 256 colours a frame, and
    durations in steps of 10 ms.

    Args:
        frames: as many as `timing` has durations; used one at a time.
        timing: how they play.
        media_type: one of `ANIMATED_TYPES`.
        quality: 1 to 100, for WebP.
    """
    pictures = map(Image.fromarray, frames)
    match media_type:
        case "image/gif":
            return _encode_gif(pictures, timing)
        case "image/webp":
            return _encode_webp(pictures, timing, quality)
        case "image/png":
            return encode_png_animation(pictures, timing)
    raise AssertionError(f"{media_type} holds no animation")


def _encode_gif(pictures: Iterator[Image.Image], timing: Timing) -> bytes:
    palettes, file = map(quantized, pictures), BytesIO()
    # A GIF without a number of repeats plays once.
    repeats = {} if timing.plays == 1 else {"loop": max(0, timing.plays - 1)}
    durations = _gif_durations(timing.durations_ms)
    first = next(palettes)
    first.save(file, "GIF", save_all=True, append_images=palettes, duration=durations, **repeats)
    return file.getvalue()


def _encode_webp(pictures: Iterator[Image.Image], timing: Timing, quality: int) -> bytes:
    file, durations = BytesIO(), [round(duration) for duration in timing.durations_ms]
    options = {"duration": durations, "loop": timing.plays, "quality": quality, "method": 0}
    next(pictures).save(file, "WEBP", save_all=True, append_images=pictures, **options)
    return file.getvalue()


def _gif_durations(durations_ms: Sequence[float]) -> list[int]:
    """Return durations in whole steps of 10 ms whose sums stay closest to the given ones'.

    A frame that is shown at all is shown for at least one step.
    """
    ends = list(accumulate(durations_ms, initial=0.0))
    return [_gif_duration(start, end) for start, end in pairwise(ends)]


def _gif_duration(start: float, end: float) -> int:
    steps = round(end / _GIF_STEP_MS) - round(start / _GIF_STEP_MS)
    return _GIF_STEP_MS * (max(1, steps) if end > start else 0)
