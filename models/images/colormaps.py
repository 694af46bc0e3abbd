"""Colour maps: one colour for every level from 0 to 255."""

import zlib
from base64 import b85decode
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Colormap = Literal["jet", "turbo", "viridis", "inferno", "gray"]

# The published tables, rounded to 8 bits: the differences from colour to colour, all of red, then green, then
# blue, deflated. Turbo: Anton Mikhailov, Google, Apache 2.0. Viridis and inferno: Stéfan van der Walt,
# Nathaniel Smith and Eric Firing, CC0.
_DELTAS: dict[str, str] = {
    "turbo": (
        "c-mc(TNcA02t@Ijes?AP@BVjXw88+=3?t_>G4=v}a*850CxSK6LRzee*jiZo7kj@Ye33Fo;n=DiRhFt$dA8r>V-L0oCpnyiX"
        "(5zK(GH#vLN{CDmc<&f#=DrZ=UgIHL<=FD0k<%$5N}*C=SN=+KN-K5;Pj3j=&giMgjeyWd1J#vcHpu>P3;ux`?^HEU%mD1)>"
        "_@hn6xE23yeU4^$vvAn(@#O$MMj%V;}DV(n1?la`8^0)2uV<>Fx4jre6Y5<4`x9zaYQZ=?AISX^{"
    ),
    "viridis": (
        "c-n<hi4lY#3{0@KE8+St<xsL4Sjp&Rzu+jyOg`opECkc)X`Q6qnhK3HNo_OG;RhV>kb4UegZDb1pdhW1hA(9608i7%o<`5u+"
        "O6#W6MI|R-q~_nLKyo3Fq1@l=e3($blyl0DjP1z=#&|HsQxfvb9OjPgHv1mpkyG8q{bp%?-(;)vb7T{kBAB"
    ),
    "inferno": (
        "c-nnYff9uv2!rhX{~u?`HW6PJ%pqLTG0e>d{DJHs!U>Qs;e$R4<q|F;;(*eOB!nkOv@Yrca*^RRewRH^w6*urP6u^geWN|py"
        "nv!x9d(YM%G6!t7O)v|#%cbNLw)LdoUU&gNobki>0F5>sw(}<pOS}zaOtF1yLP_vOejQK(?U6N(<p5Kb`Gcg5T42nM;>jU"
    ),
}


@cache
def table(colormap: Colormap) -> NDArray[np.uint8]:
    """Return the colours of a map, uint8 [256, 3] RGB, read-only."""
    if colormap == "jet":
        colours = _jet()
    elif colormap == "gray":
        colours = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    else:
        deltas = np.frombuffer(zlib.decompress(b85decode(_DELTAS[colormap])), np.uint8).reshape(3, 256)
        colours = np.ascontiguousarray(deltas.cumsum(axis=1, dtype=np.uint8).T)
    colours.setflags(write=False)
    return colours


def _jet() -> NDArray[np.uint8]:
    """Return linear ramps of four levels per step, as in MATLAB and OpenCV and so in papers' figures."""
    level = np.arange(256)
    red = np.minimum(4 * level - 382, 1148 - 4 * level)
    green = np.minimum(4 * level - 128, 892 - 4 * level)
    blue = np.minimum(4 * level + 128, 638 - 4 * level)
    return np.stack([red, green, blue], axis=1).clip(0, 255).astype(np.uint8)
