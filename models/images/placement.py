"""Where a network's frame lies in a photo, and how it is cut out."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Resampling, Transform

from models.images.affine import Affine, Point, scaling
from models.images.frame import (
    Box,
    Fit,
    Frame,
    FrameSize,
    NativeSize,
    frame,
    frame_native,
    resize,
    shown_size,
)
from models.images.photo import Photo

_OVERSAMPLING: Final = 4
"""A turned part is cut with at most this many times the frame's pixels a side: more would change nothing."""


class Placement(NamedTuple):
    """Where a frame lies in an upright photo, in pixels of the photo's file."""

    to_frame: Affine
    """From places in the photo to places in the frame."""
    fit: Fit | None = None
    """How `frame` cuts it; None for a frame that is cut by the affine, such as a turned one."""


def place(photo: tuple[int, int], *, height: int, width: int, fit: Fit) -> Placement:
    """Return where a frame of `height` x `width` lies in a photo (height, width) by a fit."""
    rows, columns = photo
    if fit == "stretch":
        return Placement(scaling(width / columns, height / rows), fit)
    ratios = (width / columns, height / rows)
    scale = max(ratios) if fit == "cover" else min(ratios)
    x, y = (width - columns * scale) / 2, (height - rows * scale) / 2
    return Placement(Affine(scale, 0, x, 0, scale, y), fit)


def place_native(photo: tuple[int, int], size: NativeSize) -> Placement:
    """Return where a frame of `native_size` lies in its photo (height, width)."""
    (rows, columns), (height, width) = photo, size.content
    x, y = ((whole - inner) // 2 for whole, inner in zip(size.frame[::-1], size.content[::-1], strict=True))
    return Placement(Affine(width / columns, 0, x, 0, height / rows, y), "native")


def cut(photo: Photo, placement: Placement, *, height: int, width: int) -> Frame:
    """Return a frame of `height` x `width`; what lies outside the photo is its mirror image.

    A placement without a fit needs a photo that was decoded at its own size.
    """
    if placement.fit == "native":
        x, y = placement.to_frame.scale
        content = FrameSize(round(photo.size[0] * y), round(photo.size[1] * x))
        return frame_native(photo.pixels, content, FrameSize(height, width))
    if placement.fit is not None:
        return frame(photo.pixels, height=height, width=width, fit=placement.fit)
    assert photo.pixels.shape[:2] == photo.size, "an affine is in pixels of the photo's file"
    return Frame(_cut(photo.pixels, placement.to_frame, height, width), Box(0, 0, width, height))


def shown_pixels(photo: tuple[int, int], placement: Placement, *, height: int, width: int) -> tuple[int, int]:
    """Return the size (height, width), in the photo's pixels, of what a frame shows of it."""
    if placement.fit is not None:
        return shown_size(photo, height=height, width=width, fit=placement.fit)
    x, y = placement.to_frame.scale
    return max(1, round(height / y)), max(1, round(width / x))


def bounds(to_photo: Affine, *, height: int, width: int) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of a frame of `height` x `width` in the photo."""
    corners = [to_photo.apply(Point(x, y)) for x in (0, width) for y in (0, height)]
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _cut(pixels: NDArray[np.uint8], to_frame: Affine, height: int, width: int) -> NDArray[np.uint8]:
    """Return the frame: the upright part at the photo's own scale, resized as every frame is.

    Pillow's affine transform does not widen its filter, so it alone would alias where a frame is smaller.
    """
    step = max(1, int(1 / (max(to_frame.scale) * _OVERSAMPLING)))
    small, from_small = _reduced(pixels, bounds(to_frame.inverse(), height=height, width=width), step)
    into = to_frame.after(from_small)
    region, offset = _region(small, bounds(into.inverse(), height=height, width=width))
    into = into.after(offset)
    x, y = into.scale
    rows, columns = max(1, round(height / y)), max(1, round(width / x))
    upright = scaling(columns / width, rows / height).after(into)
    # Where the result is shrunk by half, the better filter cannot be seen, and takes twice the time.
    filter_ = Resampling.BILINEAR if min(rows, columns) >= 2 * max(height, width) else Resampling.BICUBIC
    turned = Image.fromarray(region).transform((columns, rows), Transform.AFFINE, upright.inverse(), filter_)
    return resize(np.asarray(turned), height=height, width=width)


def _reduced(
    pixels: NDArray[np.uint8], box: tuple[float, float, float, float], step: int
) -> tuple[NDArray[np.uint8], Affine]:
    """Return the part of a photo in a box, shrunk by `step`, and the map from it into the photo."""
    rows, columns = pixels.shape[:2]
    left, top = (
        min(max(0, math.floor(edge) - 2 * step), side - 1)
        for edge, side in zip(box[:2], (columns, rows), strict=True)
    )
    right, bottom = max(left + 1, math.ceil(box[2]) + 2 * step), max(top + 1, math.ceil(box[3]) + 2 * step)
    part = np.ascontiguousarray(pixels[top:bottom, left:right])
    small = np.asarray(Image.fromarray(part).reduce(step)) if step > 1 else part
    return small, Affine(step, 0, left, 0, step, top)


def _region(
    pixels: NDArray[np.uint8], box: tuple[float, float, float, float]
) -> tuple[NDArray[np.uint8], Affine]:
    """Return a picture's part in a box and two pixels around it, mirrored outside; and the map out of it."""
    left, top = math.floor(box[0]) - 2, math.floor(box[1]) - 2
    rows = _mirrored(np.arange(top, math.ceil(box[3]) + 2), pixels.shape[0])
    columns = _mirrored(np.arange(left, math.ceil(box[2]) + 2), pixels.shape[1])
    return pixels[rows[:, None], columns], Affine(1, 0, left, 0, 1, top)


def _mirrored(places: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Return the rows or columns that lie at these places, where a photo is mirrored at its edges."""
    period = max(1, 2 * (length - 1))
    within = np.abs(places) % period
    return np.minimum(within, period - within) if length > 1 else np.zeros_like(places)
