"""Render the pictures of an answer: the translation, and heat maps over it or over its source."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.engine.render_options import Base, EncodedPicture, RenderOptions, View
from app.engine.store.entry import AttentionMap, Entry
from models.bundle.declarations import HeatMap
from models.images.encode import encode
from models.images.frame import crop, resize, resize_smooth, scale_box
from models.images.heatmap import colorize, overlay, scale, value_range
from models.images.legend import add_legend


def render_picture(
    entry: Entry, options: RenderOptions, size: tuple[int, int] | None = None
) -> EncodedPicture:
    """Return the translated picture without its padding, encoded.

    Args:
        entry: the translation.
        options: the format and its quality.
        size: height and width; the network's own by default.
    """
    return encode_pixels(translated_pixels(entry, size), options)


def translated_pixels(entry: Entry, size: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """Return the translated picture [H, W, 3] without its padding; `size` is as for `render_picture`."""
    picture = crop(entry.translation, entry.source.content)
    if size is not None and size != picture.shape[:2]:
        picture = resize_smooth(picture, height=size[0], width=size[1])
    return picture


def picture_size(entry: Entry, shown_size: tuple[int, int], longer_side: int) -> tuple[int, int]:
    """Return the height and width of a translated picture for a requested longer side.

    Args:
        entry: the translation.
        shown_size: height and width of what was translated, in the photo's own pixels.
        longer_side: the requested side in pixels. It is bounded by the photo's longer side, or by the
            network's if that is larger: more pixels would show no more.
    """
    box = entry.source.content
    longer_side = min(longer_side, max(*shown_size, box.bottom - box.top, box.right - box.left))
    scale = longer_side / max(shown_size)
    return max(1, round(shown_size[0] * scale)), max(1, round(shown_size[1] * scale))


def render_attention(
    entry: Entry,
    declared: HeatMap,
    attention: AttentionMap,
    options: RenderOptions,
    *,
    view: View = "overlay",
    base: Base = "source",
    size: int | None = None,
    legend: bool = False,
) -> EncodedPicture:
    """Return a heat map in colours, alone or over a picture, without its padding, encoded.

    Args:
        entry: the translation that the map belongs to.
        declared: what the manifest declares about the map.
        attention: its raw values `[h, w]`.
        options: colours, opacity and format.
        view: over the base, or alone.
        base: the picture under an overlay.
        size: the longer side of the frame in pixels; the network's own by default.
        legend: add the colours with their values below the picture.
    """
    frame = entry.source.pixels if base == "source" else entry.translation
    height, width = _frame_size(frame, size)
    map01 = scale(attention, declared)
    if view == "heatmap":
        picture = colorize(map01, height=height, width=width, colormap=options.colormap)
    else:
        under = frame if frame.shape[:2] == (height, width) else resize(frame, height=height, width=width)
        picture = overlay(under, map01, colormap=options.colormap, alpha=options.alpha)
    box = scale_box(entry.source.content, before=frame.shape[:2], after=(height, width))
    shown = crop(picture, box)
    if legend:
        shown = add_legend(shown, value_range(attention, declared), options.colormap)
    return encode_pixels(shown, options)


def _frame_size(frame: NDArray[np.uint8], longer_side: int | None) -> tuple[int, int]:
    height, width = frame.shape[:2]
    if longer_side is None:
        return height, width
    longer = max(height, width)
    return max(1, round(height * longer_side / longer)), max(1, round(width * longer_side / longer))


def encode_pixels(picture: NDArray[np.uint8], options: RenderOptions) -> EncodedPicture:
    """Return a picture [H, W, 3], encoded."""
    height, width = picture.shape[:2]
    data = encode(picture, options.media_type, quality=options.quality)
    return EncodedPicture(options.media_type, width, height, data)
