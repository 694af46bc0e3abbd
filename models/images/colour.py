"""Every way to store a colour, brought to sRGB over white."""

from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

_MAX_PROFILE_BYTES = 4 * 2**20  # bounds what the cache below can hold; real profiles are smaller

# Each mode without its alpha, as the colour management knows it.
_OPAQUE = {"1": "L", "L": "L", "LA": "L", "P": "RGB", "RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}


def to_srgb(image: Image.Image, icc_profile: bytes) -> Image.Image:
    """A loaded picture of any mode as mode RGB in sRGB, transparent parts over white.

    A profile that is damaged, or made for another kind of picture, is ignored, as browsers do.
    """
    if image.mode == "RGB" and not icc_profile and "transparency" not in image.info:
        return image
    colour, alpha = _split_alpha(_to_eight_bits(image))
    rgb = _convert(colour, icc_profile)
    if alpha is None:
        return rgb
    white = Image.new("RGB", rgb.size, "white")
    white.paste(rgb, mask=alpha)
    return white


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey scaled to 8 bits (Pillow's own conversion clips it); everything else as it is."""
    if image.mode != "I;16":
        return image
    values = np.asarray(image)
    grey = Image.fromarray(((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8))
    if "transparency" not in image.info:
        return grey
    opaque = Image.fromarray(np.where(values == image.info["transparency"], 0, 255).astype(np.uint8))
    return Image.merge("LA", (grey, opaque))


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The colours (L, RGB or CMYK) and the alpha (L), if there is one."""
    if "transparency" in image.info:
        image = image.convert("LA" if image.mode in ("1", "L") else "RGBA")
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    return image.convert(_OPAQUE[image.mode]), alpha


def _convert(colour: Image.Image, icc_profile: bytes) -> Image.Image:
    """L, RGB or CMYK to RGB in sRGB."""
    if 0 < len(icc_profile) <= _MAX_PROFILE_BYTES:
        try:
            transform = _transform_to_srgb(icc_profile, colour.mode)
            if transform is not None:
                return transform.apply(colour)
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a damaged profile
    return colour.convert("RGB")


@lru_cache(maxsize=8)
def _transform_to_srgb(icc_profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """How a profile's colours become sRGB; None if they are sRGB.

    Kept, because building one costs as much as decoding a photo, and phones write always the same profile. A
    transform may be shared by threads: it keeps its working state on the stack.
    """
    source = ImageCms.ImageCmsProfile(BytesIO(icc_profile))
    if mode == "RGB" and (source.profile.profile_description or "").startswith("sRGB"):
        return None
    target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    return ImageCms.ImageCmsTransform(source, target, mode, "RGB")
