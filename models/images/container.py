"""Open picture files: check the format and the size before any pixel is decoded."""

from io import BytesIO
from typing import NamedTuple

from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from models.images import gif, jpeg, png, webp
from models.images.errors import decoder_errors_as_broken_picture
from models.images.foreign import unsupported
from models.images.limits import PictureLimits


class OpenedPicture(NamedTuple):
    """A picture file whose header was read and whose size is within the limits."""

    name: str  # JPEG, PNG, WebP or GIF
    image: ImageFile  # not loaded yet
    exif: bytes
    icc_profile: bytes


def open_picture(data: bytes, limits: PictureLimits) -> OpenedPicture:
    """Read a picture file's header.

    Each decoder is called directly. `Image.open` would let all of Pillow's forty decoders try the bytes, and
    would warn about sizes by another rule than `limits`.

    Raises `UnsupportedFormat`, `BrokenPicture` or `TooManyPixels`.
    """
    if data.startswith(jpeg.SIGNATURE):
        return _open_jpeg(data, limits)
    if data.startswith(png.SIGNATURE):
        return _open_png(data, limits)
    if webp.is_webp(data):
        return _open_webp(data, limits)
    if data.startswith(gif.SIGNATURES):
        return _open_gif(data, limits)
    raise unsupported(data)


def _open_jpeg(data: bytes, limits: PictureLimits) -> OpenedPicture:
    parts = jpeg.split(data)
    with decoder_errors_as_broken_picture("JPEG"):
        image = JpegImageFile(BytesIO(parts.pixels))
    limits.check(*image.size)
    return OpenedPicture("JPEG", image, parts.exif, image.info.get("icc_profile") or b"")


def _open_png(data: bytes, limits: PictureLimits) -> OpenedPicture:
    parts = png.split(data)
    with decoder_errors_as_broken_picture("PNG"):
        image = PngImageFile(BytesIO(parts.pixels))
    limits.check(*image.size)
    scale_transparent_colour(image, bits=parts.pixels[24])
    return OpenedPicture("PNG", image, parts.exif, parts.icc_profile)


def scale_transparent_colour(image: PngImageFile, bits: int) -> None:
    """Scale the transparent colour to the depth of Pillow's pixels; Pillow leaves it at the file's depth."""
    colour = image.info.get("transparency")
    if image.mode == "L" and bits in (2, 4) and colour is not None:
        image.info["transparency"] = colour * 255 // (2**bits - 1)
    if image.mode == "RGB" and bits == 16 and colour is not None:
        image.info["transparency"] = tuple(value >> 8 for value in colour)


def _open_webp(data: bytes, limits: PictureLimits) -> OpenedPicture:
    # Check before the decoder, which allocates two canvases of the size in the header.
    limits.check(*webp.canvas_size(data))
    with decoder_errors_as_broken_picture("WebP"):
        image = WebPImageFile(BytesIO(data))
    return OpenedPicture("WebP", image, image.info.get("exif", b""), image.info.get("icc_profile", b""))


def _open_gif(data: bytes, limits: PictureLimits) -> OpenedPicture:
    parts = gif.split(data)
    limits.check(parts.width, parts.height)
    with decoder_errors_as_broken_picture("GIF"):
        image = GifImageFile(BytesIO(parts.pixels))
    return OpenedPicture("GIF", image, b"", b"")
