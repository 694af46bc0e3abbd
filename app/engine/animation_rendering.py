"""Render the animations of an answer: every frame translated, or put back into its photo."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from app.engine.render_options import EncodedPicture, RenderOptions
from app.engine.rendering import translated_pixels
from app.engine.scene_rendering import pasted_pixels
from app.engine.store.entry import Entry
from models.images.animation import decode_frames, read_animation
from models.images.encode_animation import encode_animation
from models.images.limits import PictureLimits
from models.images.timing import Timing


def render_frames(
    entry: Entry, timing: Timing, options: RenderOptions, size: tuple[int, int] | None = None
) -> EncodedPicture:
    """Return all translated frames without their padding, encoded; the arguments are as for a picture.

    Args:
        entry: the translation.
        timing: of the frames.
        options: the format, which holds animations, and its quality.
        size: height and width; the network's own by default.
    """
    frames = (translated_pixels(entry.of_frame(number), size) for number in range(entry.frames))
    return _encode(frames, timing, options)


def render_pasted_frames(
    entry: Entry, data: bytes, limits: PictureLimits, options: RenderOptions, size: int | None = None
) -> EncodedPicture:
    """Return an animation at its own size with its translated crops, encoded.

    The frames are decoded again, one at a time, because keeping them would need much memory.

    Args:
        entry: the translation.
        data: the bytes of the animated file.
        limits: on its size.
        options: the format, which holds animations, and its quality.
        size: the longer side of the answer in pixels; the animation's own by default, and at most.
    """
    animation = read_animation(data, limits)
    assert animation is not None, "the file was translated as an animation"
    photos = enumerate(decode_frames(animation))
    frames = (pasted_pixels(entry.of_frame(number), photo.pixels, size) for number, photo in photos)
    return _encode(frames, animation.timing, options)


def _encode(frames: Iterator[NDArray[np.uint8]], timing: Timing, options: RenderOptions) -> EncodedPicture:
    first = next(frames)
    height, width = first.shape[:2]
    data = encode_animation(chain([first], frames), timing, options.media_type, quality=options.quality)
    return EncodedPicture(options.media_type, width, height, data)
