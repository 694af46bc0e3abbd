"""Convert pictures of every mode and colour profile to sRGB over white."""

from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

_MAX_PROFILE_BYTES = 4 * 2**20  # limits the memory of the cache below; real profiles are smaller

# Each mode without its alpha, by the name that colour management uses.
_OPAQUE = {"1": "L", "L": "L", "LA": "L", "P": "RGB", "RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}


def to_srgb(image: Image.Image, icc_profile: bytes) -> Image.Image:
    """Return a loaded picture of any mode as RGB in sRGB, its transparent parts over white.

    A profile that is damaged, or for another mode, is ignored, as browsers do.
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
    """Scale 16-bit grey to 8 bits, which Pillow's own conversion would clip; return other modes unchanged."""
    if image.mode != "I;16":
        return image
    values = np.asarray(image)
    grey = Image.fromarray(((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8))
    if "transparency" not in image.info:
        return grey
    opaque = Image.fromarray(np.where(values == image.info["transparency"], 0, 255).astype(np.uint8))
    return Image.merge("LA", (grey, opaque))


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Return the colours (L, RGB or CMYK) and the alpha (L), if there is one."""
    if "transparency" in image.info:
        image = image.convert("LA" if image.mode in ("1", "L") else "RGBA")
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    return image.convert(_OPAQUE[image.mode]), alpha


def _convert(colour: Image.Image, icc_profile: bytes) -> Image.Image:
    """Convert L, RGB or CMYK to RGB in sRGB."""
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
    """Return the transform from a profile's colours to sRGB; None if they are sRGB.

    The transform is cached, because building one takes as long as decoding a photo, and a phone always writes
    the same profile. Threads may share a transform: its state is on the stack.
    """
    source = ImageCms.ImageCmsProfile(BytesIO(icc_profile))
    if mode == "RGB" and (source.profile.profile_description or "").startswith("sRGB"):
        return None
    target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    return ImageCms.ImageCmsTransform(source, target, mode, "RGB")
