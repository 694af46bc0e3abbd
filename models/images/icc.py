"""Build ICC profiles (ICC.1:2001-04) from a curve and primaries, for colour management."""

import struct
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Chromaticity = tuple[float, float]

_D50 = np.array([0.9642, 1.0, 0.8249])  # the white of ICC's connection space, XYZ
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


class Primaries(NamedTuple):
    """The chromaticities (x, y) of a colour space's primaries and white."""

    red: Chromaticity
    green: Chromaticity
    blue: Chromaticity
    white: Chromaticity

    @property
    def are_valid(self) -> bool:
        """Whether white is a mixture of the primaries with positive shares, so that a transform exists."""
        if self.white[1] <= 0:
            return False
        columns = _columns(self)
        if abs(np.linalg.det(columns)) < 1e-6:
            return False
        return bool((np.linalg.solve(columns, _xyz(self.white)) > 0).all())


def curve_profile(light: NDArray[np.float64], primaries: Primaries | None) -> bytes:
    """Return a profile for 8-bit pixels.

    Args:
        light: the linear light, 0 to 1, of each evenly spaced value from 0 to 1.
        primaries: of an RGB profile; None for a profile of grey pixels.
    """
    curve = _curve(light)
    if primaries is None:
        return _assemble(b"GRAY", {b"wtpt": _xyz_tag(_D50), b"kTRC": curve})
    colorants = _colorants(primaries)
    tags = {b"wtpt": _xyz_tag(_D50), b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    for index, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ")):
        tags[name] = _xyz_tag(colorants[:, index])
    return _assemble(b"RGB ", tags)


def _colorants(primaries: Primaries) -> Matrix:
    """Return the matrix [3, 3] from linear RGB to XYZ, with white adapted to D50."""
    white, columns = _xyz(primaries.white), _columns(primaries)
    matrix = columns * np.linalg.solve(columns, white)
    cones = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    adapted: Matrix = np.linalg.inv(_BRADFORD) @ np.diag(cones) @ _BRADFORD @ matrix
    return adapted


def _columns(primaries: Primaries) -> Matrix:
    """Return the primaries in XYZ up to their scales, one column each."""
    return np.array([[x, y, 1 - x - y] for x, y in primaries[:3]]).T


def _xyz(white: Chromaticity) -> Matrix:
    x, y = white
    return np.array([x / y, 1, (1 - x - y) / y])


def _assemble(space: bytes, tags: Mapping[bytes, bytes]) -> bytes:
    offset = 128 + 4 + 12 * len(tags)
    table, data = [struct.pack(">I", len(tags))], b""
    for name, body in tags.items():
        table.append(struct.pack(">4sII", name, offset + len(data), len(body)))
        data += body
    header = struct.pack(">I4xI4s4s4s", offset + len(data), 0x02400000, b"mntr", space, b"XYZ ")
    header += bytes(12) + b"acsp" + bytes(28) + _fixed(_D50)
    return header.ljust(128, b"\0") + b"".join(table) + data


def _curve(light: NDArray[np.float64]) -> bytes:
    values = np.round(light * 65535).astype(">u2").tobytes()
    return b"curv" + bytes(4) + struct.pack(">I", len(light)) + values


def _xyz_tag(xyz: Matrix) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(xyz)


def _fixed(values: Matrix) -> bytes:
    return struct.pack(">3i", *(round(value * 65536) for value in values.tolist()))
