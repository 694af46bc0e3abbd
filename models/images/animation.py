"""Read animated GIF, WebP and PNG files, one frame at a time."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from models.images import gif, png, webp
from models.images.colour import to_srgb
from models.images.container import scale_transparent_colour
from models.images.errors import decoder_errors_as_broken_picture
from models.images.limits import PictureLimits
from models.images.orientation import orientation, upright
from models.images.photo import Photo
from models.images.timing import Timing

Name = Literal["GIF", "WebP", "PNG"]


class Animation(NamedTuple):
    """An animated file whose header was read and whose size is within the limits."""

    name: Name
    pixels: bytes
    """The file, without what its decoder does not need."""
    width: int
    height: int
    timing: Timing
    first: int = 0
    """The decoder's number of the first frame: 1 if a still picture before it is not shown."""
    exif: bytes = b""
    icc_profile: bytes = b""


def read_animation(data: bytes, limits: PictureLimits) -> Animation | None:
    """Read the header of an animated file; None for a still picture and for other files.

    Raises:
        BrokenPicture: the file has no readable header.
        TooManyPixels, TooManyFrames: the animation exceeds `limits`; no pixel was decoded.
    """
    found = _read(data)
    if found is None or found.timing.frames < 2:
        return None
    limits.check_frames(found.timing.frames, found.width, found.height)
    return found


def decode_frames(animation: Animation) -> Iterator[Photo]:
    """Yield each frame as it is shown, upright, in sRGB, over white. Only one is in memory.

    Raises:
        BrokenPicture: a frame cannot be decoded.
    """
    with decoder_errors_as_broken_picture(animation.name):
        image = _open(animation)
    exif = animation.exif or image.info.get("exif") or b""
    icc_profile = animation.icc_profile or image.info.get("icc_profile") or b""
    stored = orientation(exif)
    canvas = (0, 0, animation.width, animation.height)
    for number in range(animation.timing.frames):
        with decoder_errors_as_broken_picture(animation.name):
            image.seek(animation.first + number)
            image.load()
        rgb = to_srgb(image, icc_profile)
        shown = rgb if rgb.size == canvas[2:] else _on_canvas(rgb, canvas)
        pixels = np.asarray(upright(shown, stored))
        yield Photo(pixels, *pixels.shape[:2])


def _on_canvas(image: Image.Image, canvas: tuple[int, int, int, int]) -> Image.Image:
    """Return a frame on its whole canvas: an early frame of a GIF may be smaller."""
    white = Image.new("RGB", canvas[2:], "white")
    white.paste(image)
    return white


def _read(data: bytes) -> Animation | None:
    if data.startswith(gif.SIGNATURES):
        parts = gif.split(data)
        return Animation("GIF", parts.pixels, parts.width, parts.height, parts.timing)
    if data.startswith(png.SIGNATURE):
        return _read_png(data)
    if webp.is_webp(data) and (timing := webp.timing(data)) is not None:
        return Animation("WebP", data, *webp.canvas_size(data), timing)
    return None


def _read_png(data: bytes) -> Animation | None:
    found = png.animation(data)
    if found is None:
        return None
    parts = png.split(data, animated=True)
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    first = 0 if found.starts_with_still else 1
    return Animation("PNG", parts.pixels, width, height, found.timing, first, parts.exif, parts.icc_profile)


def _open(animation: Animation) -> ImageFile:
    file = BytesIO(animation.pixels)
    if animation.name == "GIF":
        return GifImageFile(file)
    if animation.name == "WebP":
        return WebPImageFile(file)
    image = PngImageFile(file)
    scale_transparent_colour(image, bits=animation.pixels[24])
    return image
