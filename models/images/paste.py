"""Put a translated frame back into its photo: feathered at its edges, its colours matched to the photo's."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Resampling, Transform

from models.images.affine import Affine, Point, scaling
from models.images.frame import Box, Frame
from models.images.placement import bounds

_FEATHER: Final = 0.16
"""The width of the feathered edge, over the frame's side."""
_GRID: Final = 16
_REACH: Final = 0.3
"""How far a colour difference at the edge reaches into the frame, over its side: sigma of a Gaussian."""

Weights = NDArray[np.float32]
"""How much of a frame is shown at each of its pixels, [H, W] from 0 to 1."""


class Laid(NamedTuple):
    """A frame in the pixels of a photo."""

    box: Box
    """The part of the photo that holds it."""
    picture: Image.Image
    mask: Image.Image
    """How much of it is shown, 0 to 255; 0 outside the frame."""


def paste(photo: Image.Image, source: Frame, translation: NDArray[np.uint8], to_frame: Affine) -> None:
    """Put a translated frame into a photo in RGB, in place.

    Args:
        photo: the photo.
        source: the frame that was translated.
        translation: of the frame, uint8 [H, W, 3].
        to_frame: the map from the photo into the frame.
    """
    weights = feather(source, to_frame, photo.size)
    matched = match_colours(translation, source.pixels, weights)
    laid = lay(matched, weights, to_frame, photo.size)
    if laid is not None:
        photo.paste(laid.picture, laid.box, laid.mask)


def feather(source: Frame, to_frame: Affine, photo: tuple[int, int]) -> Weights:
    """Return the weights of a frame in a photo (width, height): 0 at its edges, 1 inside.

    An edge of the frame that is an edge of the photo is not feathered: nothing of the photo is beside it.
    """
    height, width = source.pixels.shape[:2]
    box = source.content
    left, top, right, bottom = bounds(to_frame.inverse(), height=height, width=width)
    turned = not to_frame.is_upright
    rows = _ramps(box.bottom - box.top, (turned or top > 0.5, turned or bottom < photo[1] - 0.5))
    columns = _ramps(box.right - box.left, (turned or left > 0.5, turned or right < photo[0] - 0.5))
    margins = ((box.top, height - box.bottom), (box.left, width - box.right))
    # Padding lies outside the photo.
    return np.asarray(np.pad(rows[:, None] * columns, margins, mode="edge"), dtype=np.float32)


def match_colours(
    translation: NDArray[np.uint8], source: NDArray[np.uint8], weights: Weights
) -> NDArray[np.uint8]:
    """Return a translation, uint8 [H, W, 3], with the colours of its source where it is feathered.

    The difference of both in the feathered edge, smoothed, is added; so the edge is not seen, and the colours
    inside change only as far as a difference at the edge reaches.
    """
    edge = np.float32(4) * weights * (1 - weights)
    if not edge.any():
        return translation
    difference = source.astype(np.float32) - translation
    blur = _gaussian(_GRID, _REACH * _GRID)
    amount = blur @ _shrunk(edge) @ blur.T
    matched: NDArray[np.uint8] = np.empty_like(translation)
    for channel in range(3):
        total = blur @ _shrunk(edge * difference[..., channel]) @ blur.T
        offset = _grown(total / np.maximum(amount, 1e-6), translation.shape[:2])
        matched[..., channel] = np.clip(translation[..., channel] + offset + 0.5, 0, 255)
    return matched


def lay(
    picture: NDArray[np.uint8], weights: Weights, to_frame: Affine, photo: tuple[int, int]
) -> Laid | None:
    """Return a frame's picture, uint8 [H, W] or [H, W, 3], in the pixels of a photo (width, height).

    None if no pixel of the photo is in the frame.
    """
    height, width = picture.shape[:2]
    left, top, right, bottom = bounds(to_frame.inverse(), height=height, width=width)
    box = Box(
        max(0, math.floor(left)),
        max(0, math.floor(top)),
        min(photo[0], math.ceil(right)),
        min(photo[1], math.ceil(bottom)),
    )
    if box.right <= box.left or box.bottom <= box.top:
        return None
    size = (box.right - box.left, box.bottom - box.top)
    into = to_frame.after(Affine(1, 0, box.left, 0, 1, box.top))
    levels = (weights * 255 + 0.5).astype(np.uint8)
    shown, mask = (_resample(Image.fromarray(each), into, size) for each in (picture, levels))
    return Laid(box, shown, mask)


def _resample(picture: Image.Image, into: Affine, size: tuple[int, int]) -> Image.Image:
    """Return a picture of `size` whose places the map moves into `picture`; black outside."""
    if into.is_upright:
        left, top = into.apply(Point(0, 0))
        right, bottom = into.apply(Point(*size))
        part = (max(left, 0), max(top, 0), min(right, picture.width), min(bottom, picture.height))
        return picture.resize(size, Resampling.LANCZOS, box=part)
    # First at the result's scale: the affine transform does not widen its filter where it shrinks.
    x, y = into.scale
    columns, rows = max(1, round(picture.width / x)), max(1, round(picture.height / y))
    scaled = picture.resize((columns, rows), Resampling.LANCZOS)
    turn = scaling(columns / picture.width, rows / picture.height).after(into)
    return scaled.transform(size, Transform.AFFINE, turn, Resampling.BICUBIC)


def _ramps(length: int, feathered: tuple[bool, bool]) -> NDArray[np.float32]:
    """Return weights along a side, from 0 at its feathered ends to 1, as a smooth step."""
    places = (np.arange(length, dtype=np.float32) + 0.5) / length
    weights = np.ones(length, dtype=np.float32)
    for distance, wanted in zip((places, 1 - places), feathered, strict=True):
        if wanted:
            end = np.minimum(distance / _FEATHER, 1)
            weights *= end * end * (3 - 2 * end)
    return weights


def _gaussian(length: int, sigma: float) -> NDArray[np.float32]:
    places = np.arange(length, dtype=np.float32)
    return np.asarray(np.exp(-((places[:, None] - places) ** 2) / (2 * sigma**2)), dtype=np.float32)


def _shrunk(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(Image.fromarray(values).resize((_GRID, _GRID), Resampling.BOX))


def _grown(values: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.float32]:
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize(size[::-1], Resampling.BICUBIC))
