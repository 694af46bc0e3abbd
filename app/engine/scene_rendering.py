"""Render whole photos: translations put back into them, and heat maps over them where the crops lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.engine.render_options import Base, EncodedPicture, RenderOptions, View
from app.engine.store.entry import AttentionMap, Crop, Entry, Scene
from models.bundle.declarations import HeatMap
from models.images.affine import Affine, scaling
from models.images.decode import PictureLimits, decode_image
from models.images.encode import encode_image
from models.images.frame import resize
from models.images.heatmap import levels, paint, scale, value_range
from models.images.legend import add_legend
from models.images.paste import feather, lay, paste

_WITH_ALPHA: Final = ("image/png", "image/webp")
_PAPER: Final = (255, 255, 255)
"""The colour of a heat map alone around the crops, where it cannot be transparent."""


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
    photo = decode_image(data, limits=limits)
    return _encode(_pasted(entry, photo, size), options)


def pasted_pixels(entry: Entry, pixels: NDArray[np.uint8], size: int | None = None) -> NDArray[np.uint8]:
    """Return a photo [H, W, 3] with its translated crops; `size` is as for `render_pasted`."""
    return np.asarray(_pasted(entry, Image.fromarray(pixels), size))


def _pasted(entry: Entry, photo: Image.Image, size: int | None) -> Image.Image:
    _paste_all(photo, entry.crops, scaling(1, 1))
    if size is None or size >= max(photo.size):
        return photo
    share = size / max(photo.size)
    width, height = (max(1, round(side * share)) for side in photo.size)
    return Image.fromarray(resize(np.asarray(photo), height=height, width=width))


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

    All maps are coloured by one range. Around the crops a heat map alone is transparent; as JPEG or GIF, or
    with a legend, it is white there. The arguments are those of `render_attention`, with a map for each
    crop; without `size` the picture has the size of the kept copy of the photo, at most 1,024 pixels.
    """
    assert entry.scene is not None, "a scene is rendered"
    shown = _shown(entry.scene, size)
    from_shown = scaling(entry.scene.width / shown.width, entry.scene.height / shown.height)
    values = np.stack(list(maps))
    colours = _colours(entry.crops, scale(values, declared), options, from_shown, shown.size)
    if view == "heatmap" and options.media_type in _WITH_ALPHA and not legend:
        return _encode(colours, options)
    if view == "heatmap":
        shown.paste(_PAPER, (0, 0, *shown.size))
    elif base == "translation":
        _paste_all(shown, entry.crops, from_shown)
    opacity = 1.0 if view == "heatmap" else options.alpha
    shown.paste(colours.convert("RGB"), mask=colours.getchannel("A").point(lambda level: level * opacity))
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


def _colours(
    crops: Sequence[Crop],
    maps01: AttentionMap,
    options: RenderOptions,
    from_photo: Affine,
    size: tuple[int, int],
) -> Image.Image:
    """Return the colours of all crops' maps in a picture of `size` with alpha, transparent around them."""
    layer = Image.new("RGBA", size)
    for crop, map01 in reversed(list(zip(crops, maps01, strict=True))):
        rows, columns = crop.source.pixels.shape[:2]
        to_frame = crop.to_frame.after(from_photo)
        grey = np.asarray(levels(map01, height=rows, width=columns))
        laid = lay(grey, feather(crop.source, to_frame, size), to_frame, size)
        if laid is not None:
            painted = paint(laid.picture, options.colormap)
            painted.putalpha(laid.mask)
            layer.alpha_composite(painted, laid.box[:2])
    return layer


def _encode(picture: Image.Image, options: RenderOptions) -> EncodedPicture:
    data = encode_image(picture, options.media_type, quality=options.quality)
    return EncodedPicture(options.media_type, picture.width, picture.height, data)
