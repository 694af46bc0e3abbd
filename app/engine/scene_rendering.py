"""Render whole photos: translations put back into them, and heat maps over them where the crops lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from PIL import Image

from app.engine.render_options import Base, EncodedPicture, RenderOptions, View
from app.engine.store.entry import AttentionMap, Crop, Entry, Scene
from models.bundle.declarations import HeatMap
from models.images.affine import Affine, scaling
from models.images.decode import PictureLimits, decode_photo
from models.images.encode import encode
from models.images.frame import resize
from models.images.heatmap import levels, paint, scale, value_range
from models.images.legend import add_legend
from models.images.paste import feather, lay, paste

_PAPER: Final = (255, 255, 255)
"""The colour of a heat map alone where it has no values: outside of the crops."""


def render_pasted(
    entry: Entry, data: bytes, limits: PictureLimits, options: RenderOptions, size: int | None = None
) -> EncodedPicture:
    """Return a photo at its own size with its translated crops, encoded.

    The photo is decoded again, because keeping it until its crops are translated would need much memory.

    Args:
        entry: the translation.
        data: the bytes of the photo's file.
        limits: on its size.
        options: the format and its quality.
        size: the longer side of the answer in pixels; the photo's own by default, and at most.
    """
    photo = Image.fromarray(decode_photo(data, limits=limits).pixels)
    _paste_all(photo, entry.crops, scaling(1, 1))
    if size is not None and size < max(photo.size):
        share = size / max(photo.size)
        width, height = (max(1, round(side * share)) for side in photo.size)
        return _encode(Image.fromarray(resize(np.asarray(photo), height=height, width=width)), options)
    return _encode(photo, options)


def render_scene_attention(
    entry: Entry,
    declared: HeatMap,
    maps: Sequence[AttentionMap],
    options: RenderOptions,
    *,
    view: View = "overlay",
    base: Base = "source",
    size: int | None = None,
    legend: bool = False,
) -> EncodedPicture:
    """Return the heat maps of all crops where they lie in their photo, encoded.

    All maps are coloured by one range. The arguments are those of `render_attention`, with a map for each
    crop; without `size` the picture has the size of the kept copy of the photo, at most 1,024 pixels.
    """
    assert entry.scene is not None, "a scene is rendered"
    shown = _shown(entry.scene, size)
    from_shown = scaling(entry.scene.width / shown.width, entry.scene.height / shown.height)
    if view == "heatmap":
        shown = Image.new("RGB", shown.size, _PAPER)
    elif base == "translation":
        _paste_all(shown, entry.crops, from_shown)
    values = np.stack(list(maps))
    for crop, map01 in zip(entry.crops, scale(values, declared), strict=True):
        opacity = 1.0 if view == "heatmap" else options.alpha
        _lay_map(shown, crop, map01, options, crop.to_frame.after(from_shown), opacity)
    if not legend:
        return _encode(shown, options)
    ends = value_range(values, declared)
    return _encode(Image.fromarray(add_legend(np.asarray(shown), ends, options.colormap)), options)


def _shown(scene: Scene, longer_side: int | None) -> Image.Image:
    """Return a copy of a scene's picture with a longer side."""
    rows, columns = scene.pixels.shape[:2]
    share = 1.0 if longer_side is None else longer_side / max(rows, columns)
    height, width = max(1, round(rows * share)), max(1, round(columns * share))
    return Image.fromarray(resize(scene.pixels, height=height, width=width)).copy()


def _paste_all(photo: Image.Image, crops: Sequence[Crop], from_photo: Affine) -> None:
    """Put crops into a photo or a copy of it, the largest last; `from_photo` maps the copy to the photo."""
    for crop in reversed(crops):
        paste(photo, crop.source, crop.translation, crop.to_frame.after(from_photo))


def _lay_map(
    picture: Image.Image,
    crop: Crop,
    map01: AttentionMap,
    options: RenderOptions,
    to_frame: Affine,
    opacity: float,
) -> None:
    """Blend the colours of a map over its crop's place in a picture."""
    rows, columns = crop.source.pixels.shape[:2]
    grey = np.asarray(levels(map01, height=rows, width=columns))
    weights = feather(crop.source, to_frame, picture.size) * np.float32(opacity)
    laid = lay(grey, weights, to_frame, picture.size)
    if laid is not None:
        picture.paste(paint(laid.picture, options.colormap), laid.box, laid.mask)


def _encode(picture: Image.Image, options: RenderOptions) -> EncodedPicture:
    data = encode(np.asarray(picture), options.media_type, quality=options.quality)
    return EncodedPicture(options.media_type, picture.width, picture.height, data)
