"""PNG files that declare their colours in every way, and the levels that Chromium shows."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from PIL import Image, ImageCms

from tests.images.drawing import file, png_chunk, with_png_chunks

LEVELS = (0, 32, 64, 96, 128, 160, 192, 224, 255)
_BT709 = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
_P3 = (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)


def gama(gamma: float) -> bytes:
    return png_chunk(b"gAMA", struct.pack(">I", round(gamma * 100_000)))


def chrm(*chromaticities: float) -> bytes:
    return png_chunk(b"cHRM", struct.pack(">8I", *(round(each * 100_000) for each in chromaticities)))


def cicp(primaries: int, transfer: int, matrix: int = 0, full_range: int = 1) -> bytes:
    return png_chunk(b"cICP", bytes((primaries, transfer, matrix, full_range)))


def iccp() -> bytes:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return png_chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(profile))


SRGB = png_chunk(b"sRGB", b"\0")
LINEAR = gama(1.0) + chrm(*_BT709)

_AS_SRGB, _LINEAR_SHOWN = LEVELS, (0, 99, 137, 165, 188, 208, 225, 241, 255)
_GAMMA_22, _VIDEO = (0, 26, 62, 96, 129, 161, 193, 225, 255), (0, 20, 54, 87, 121, 155, 189, 222, 255)

SHOWN: dict[str, tuple[bytes, tuple[int, ...]]] = {
    "nothing": (b"", _AS_SRGB),
    "linear": (LINEAR, _LINEAR_SHOWN),
    "linear without primaries": (gama(1.0), _LINEAR_SHOWN),
    "gamma 2.2 with primaries": (gama(0.45455) + chrm(*_BT709), _GAMMA_22),
    "gamma 2.2 alone": (gama(0.45455), _AS_SRGB),
    "gamma 1.8": (gama(1 / 1.8) + chrm(*_P3), (0, 43, 81, 115, 146, 176, 203, 230, 255)),
    "primaries alone": (chrm(*_P3), _AS_SRGB),
    "sRGB over gamma": (SRGB + LINEAR, _AS_SRGB),
    "a profile over gamma": (iccp() + LINEAR, _AS_SRGB),
    "a damaged profile": (png_chunk(b"iCCP", b"x\0\0junk") + LINEAR, _LINEAR_SHOWN),
    "cICP's sRGB over gamma": (cicp(1, 13) + LINEAR, _AS_SRGB),
    "cICP's linear over sRGB": (cicp(1, 8) + SRGB, _LINEAR_SHOWN),
    "cICP over a profile": (cicp(1, 8) + iccp(), _LINEAR_SHOWN),
    "cICP's Display P3": (cicp(12, 13), _AS_SRGB),
    "cICP's BT.709": (cicp(1, 1), _VIDEO),
    "cICP's BT.2020": (cicp(9, 14), _VIDEO),
    "cICP's PQ": (cicp(9, 16), (0, 5, 30, 70, 132, 213, 255, 255, 255)),
    "cICP's HLG": (cicp(9, 18), (0, 14, 43, 71, 99, 135, 189, 228, 255)),
    "cICP unspecified": (cicp(2, 2) + LINEAR, _LINEAR_SHOWN),
    "cICP of a narrow range": (cicp(1, 8, 0, 0), _AS_SRGB),
    "gamma zero": (gama(0) + chrm(*_BT709), _AS_SRGB),
    "primaries in one point": (gama(1.0) + chrm(*8 * (0.0,)), _AS_SRGB),
    "a gamma cut short": (png_chunk(b"gAMA", b"\0") + chrm(*_BT709), _AS_SRGB),
}
"""Chunks, and the grey levels that Chromium 156 shows for LEVELS."""

COLOURED = (LINEAR, gama(0.45455) + chrm(*_P3), cicp(12, 13), cicp(9, 13), cicp(5, 6), cicp(22, 13))


def grey_steps(chunks: bytes, mode: str = "RGB") -> bytes:
    """Return a PNG with a row of LEVELS in grey."""
    row = Image.fromarray(np.array([LEVELS], np.uint8)).convert(mode)
    return with_png_chunks(file(row, "PNG"), chunks)


def colours(chunks: bytes) -> bytes:
    """Return a PNG with 256 colours."""
    pixels = np.random.default_rng(1).integers(0, 256, (16, 16, 3), np.uint8)
    return with_png_chunks(file(pixels, "PNG"), chunks)
