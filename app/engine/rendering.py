"""Arrays to encoded pictures: the translation, and heat maps over it or its source."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.engine.render_options import Base, Encoded, Look, View
from app.engine.store.memory_store import Entry, Map
from models.images.encode import encode
from models.images.frame import crop, resize, resize_smooth, scale_box
from models.images.heatmap import colorize, normalize, overlay


def render_picture(entry: Entry, look: Look, size: tuple[int, int] | None = None) -> Encoded:
    """Encode the translated picture without padding; `size` (height, width) is the network's by default."""
    picture = crop(entry.translation, entry.source.content)
    if size is not None and size != picture.shape[:2]:
        picture = resize_smooth(picture, height=size[0], width=size[1])
    return _encode(picture, look)


def picture_size(entry: Entry, shown: tuple[int, int], longer: int) -> tuple[int, int]:
    """Return the size (height, width) of a translated picture whose longer side was asked for.

    Args:
        entry: the translation.
        shown: the size of what was translated, in the photo's own pixels.
        longer: the longer side that was asked for. At most the photo's own, or the network's where that is
            larger, is granted: more pixels would show no more.
    """
    box = entry.source.content
    longer = min(longer, max(*shown, box.bottom - box.top, box.right - box.left))
    scale = longer / max(shown)
    return max(1, round(shown[0] * scale)), max(1, round(shown[1] * scale))


def render_attention(
    entry: Entry,
    attention: Map,
    look: Look,
    *,
    view: View = "overlay",
    base: Base = "source",
    size: int | None = None,
) -> Encoded:
    """A heat map in colours, alone or over a picture, without padding.

    Args:
        entry: the translation it belongs to.
        attention: the raw map, `[h, w]`.
        look: colours, share and format.
        view: over the base, or alone.
        base: the picture under an overlay.
        size: the frame's longer side in pixels; the network's own by default.
    """
    frame = entry.source.pixels if base == "source" else entry.translation
    height, width = _sides(frame, size)
    map01 = normalize(attention)
    if view == "heatmap":
        picture = colorize(map01, height=height, width=width, colormap=look.colormap)
    else:
        under = frame if frame.shape[:2] == (height, width) else resize(frame, height=height, width=width)
        picture = overlay(under, map01, colormap=look.colormap, alpha=look.alpha)
    box = scale_box(entry.source.content, before=frame.shape[:2], after=(height, width))
    return _encode(crop(picture, box), look)


def _sides(frame: NDArray[np.uint8], size: int | None) -> tuple[int, int]:
    height, width = frame.shape[:2]
    if size is None:
        return height, width
    longer = max(height, width)
    return max(1, round(height * size / longer)), max(1, round(width * size / longer))


def _encode(picture: NDArray[np.uint8], look: Look) -> Encoded:
    height, width = picture.shape[:2]
    return Encoded(look.media_type, width, height, encode(picture, look.media_type, quality=look.quality))
