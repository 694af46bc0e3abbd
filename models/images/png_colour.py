"""The colours that a PNG file declares, as an ICC profile.

PNG (third edition, section 4.3) has four ways to declare them, and the first valid one applies: `cICP`,
`iCCP`, `sRGB`, then `gAMA` with `cHRM`. As in browsers, `gAMA` applies without `cHRM`, but not `cHRM` without
`gAMA`.
"""

import struct
import zlib
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from models.images.icc import Primaries, curve_profile
from models.images.transfer import TRANSFERS

_MAX_PROFILE_BYTES = 4 * 2**20  # the largest profiles of printers are smaller

# Red, green, blue and white (x, y) by their number in ITU-T H.273, table 2.
_D65, _C = (0.3127, 0.3290), (0.310, 0.316)
_PRIMARIES = {
    1: Primaries((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),  # BT.709, sRGB
    4: Primaries((0.670, 0.330), (0.210, 0.710), (0.140, 0.080), _C),
    5: Primaries((0.640, 0.330), (0.290, 0.600), (0.150, 0.060), _D65),
    6: Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),
    7: Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),
    8: Primaries((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C),
    9: Primaries((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),  # BT.2020
    10: Primaries((1.0, 0.0), (0.0, 1.0), (0.0, 0.0), (1 / 3, 1 / 3)),
    11: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),  # Display P3
    22: Primaries((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), _D65),
}
_BT709, _SRGB_TRANSFER = 1, 13
_SRGB_GAMMA, _SRGB_TOLERANCE = 1 / 2.2, 0.05  # browsers treat a gAMA near it, without cHRM, as sRGB


def declared_profile(chunks: Mapping[bytes, bytes], *, grey: bool) -> bytes:
    """Return the ICC profile of a PNG file's colours; empty for sRGB.

    Args:
        chunks: the bodies of its colour chunks by name.
        grey: whether its pixels are grey, with or without alpha.
    """
    for name, read in _READERS.items():
        if name in chunks:
            profile = read(chunks, grey)
            if profile is not None:
                return profile
    return b""


def _from_cicp(chunks: Mapping[bytes, bytes], grey: bool) -> bytes | None:
    if len(chunks[b"cICP"]) != 4:
        return None
    primaries, transfer, matrix, full_range = chunks[b"cICP"]
    if primaries not in _PRIMARIES or transfer not in TRANSFERS or matrix != 0 or full_range != 1:
        return None
    if (primaries, transfer) == (_BT709, _SRGB_TRANSFER):
        return b""
    return _profile(TRANSFERS[transfer], _PRIMARIES[primaries], grey)


def _from_iccp(chunks: Mapping[bytes, bytes], _grey: bool) -> bytes | None:
    """Return the profile in an iCCP chunk (name, zero, method, deflated bytes); None if it is damaged."""
    chunk, inflate = chunks[b"iCCP"], zlib.decompressobj()
    try:
        profile = inflate.decompress(chunk[chunk.find(b"\0") + 2 :], _MAX_PROFILE_BYTES)
    except zlib.error:
        return None
    return profile if inflate.eof and profile else None


def _from_srgb(_chunks: Mapping[bytes, bytes], _grey: bool) -> bytes:
    return b""


def _from_gama(chunks: Mapping[bytes, bytes], grey: bool) -> bytes | None:
    """Return the profile of a gamma and of the primaries in cHRM, if any; None if they are invalid."""
    if len(chunks[b"gAMA"]) != 4:
        return None
    gamma = int.from_bytes(chunks[b"gAMA"]) / 100_000
    primaries = _chromaticities(chunks[b"cHRM"]) if b"cHRM" in chunks else _PRIMARIES[_BT709]
    if gamma <= 0 or primaries is None:
        return None
    if b"cHRM" not in chunks and abs(gamma / _SRGB_GAMMA - 1) < _SRGB_TOLERANCE:
        return b""
    return _profile(lambda signal: signal ** (1 / gamma), primaries, grey)


_READERS: Mapping[bytes, Callable[[Mapping[bytes, bytes], bool], bytes | None]] = {
    b"cICP": _from_cicp,
    b"iCCP": _from_iccp,
    b"sRGB": _from_srgb,
    b"gAMA": _from_gama,
}


def _chromaticities(chunk: bytes) -> Primaries | None:
    """Return the primaries in a cHRM chunk, which starts with white; None if they are invalid."""
    if len(chunk) != 32:
        return None
    x = [value / 100_000 for value in struct.unpack(">8I", chunk)]
    primaries = Primaries((x[2], x[3]), (x[4], x[5]), (x[6], x[7]), (x[0], x[1]))
    return primaries if primaries.are_valid else None


def _profile(
    transfer: Callable[[NDArray[np.float64]], NDArray[np.float64]], primaries: Primaries, grey: bool
) -> bytes:
    light = np.clip(transfer(np.linspace(0, 1, 256)), 0, 1)
    return curve_profile(light, None if grey else primaries)
