"""Draw pictures and make picture files for the tests."""

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from models.images.decode import PictureLimits

LIMITS = PictureLimits()


def gradient(height: int, width: int) -> NDArray[np.uint8]:
    """Return a smooth picture whose four corners differ: black, red, green, yellow, all with some blue."""
    rows, columns = np.linspace(0, 255, height), np.linspace(0, 255, width)
    green, red = np.meshgrid(rows, columns, indexing="ij")
    return np.stack([red, green, np.full_like(red, 64)], axis=-1).round().astype(np.uint8)


def flat(height: int, width: int, colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    return np.full((height, width, 3), colour, np.uint8)


def file(image: Image.Image | NDArray[np.uint8], kind: str, **options: Any) -> bytes:
    """Return a JPEG, PNG or WEBP file; by default WebP is lossless and JPEG has quality 95."""
    defaults: dict[str, dict[str, Any]] = {
        "WEBP": {"lossless": True},
        "JPEG": {"quality": 95, "subsampling": 0},
    }
    out = BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(out, kind, **(defaults.get(kind, {}) | options))
    return out.getvalue()


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_by_hand(
    height: int, width: int, *, depth: int, colour_type: int, rows: bytes, extra: bytes = b""
) -> bytes:
    """Return a PNG of any depth; `rows` include their filter bytes, `extra` is written before the pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    body = (
        png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    )
    return b"\x89PNG\r\n\x1a\n" + body


def with_png_chunks(png: bytes, *chunks: bytes) -> bytes:
    """Return the file with chunks inserted after its header."""
    return png[:33] + b"".join(chunks) + png[33:]


def with_jpeg_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """Return the file with segments (marker and body) inserted at its start."""
    framed = (segment[:2] + struct.pack(">H", len(segment)) + segment[2:] for segment in segments)
    return jpeg[:2] + b"".join(framed) + jpeg[2:]


def exif(orientation: int) -> bytes:
    noted = Image.Exif()
    noted[0x0112] = orientation
    return noted.tobytes()


def swapped_profile() -> bytes:
    """Return an RGB profile with red and green of sRGB swapped, so that its effect is easy to see."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    renamed = profile.replace("sRGB".encode("utf-16be"), "Test".encode("utf-16be"))
    return renamed.replace(b"rXYZ", b"-XYZ").replace(b"gXYZ", b"rXYZ").replace(b"-XYZ", b"gXYZ")
