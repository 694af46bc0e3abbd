"""The heat maps of a gallery: their colours alone, which the page lays over a picture, and their values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.bundle.declarations import PARTS, HeatMap, Network, Part
from models.images.colormaps import Colormap
from models.images.encode import encode
from models.images.heatmap import colorize, legend, scale, value_range
from models.images.legend import number
from training.evaluation.data import Pixels

BYTES: Final = 3_000
"""Most bytes of a heat map."""

NETWORKS: Final[dict[Network, str]] = {
    "generator": "Generator",
    "local": "Local discriminator",
    "global": "Global discriminator",
}
PART_NAMES: Final[dict[Part, str]] = {
    "both": "whole map",
    "average": "average pool's share",
    "maximum": "max pool's share",
    "classifier": "classifier's map",
}

_COLORMAP: Final[Colormap] = "jet"
_SIDE: Final = 96
"""Longest side of the colours in pixels. They are smooth, so the page enlarges them without a loss."""
_QUALITIES: Final = (60, 40, 20, 5)
"""Of WebP files, half as large as JPEG files that look the same. Most maps keep the first."""

MapKey = tuple[Network, Part]


class Heat(NamedTuple):
    """One heat map."""

    picture: bytes
    """Its colours, a WebP file."""
    low: float
    """The value of the lowest colour."""
    high: float
    """The value of the highest colour; equal to `low` for a flat map."""

    @property
    def words(self) -> str:
        """The value range, or the one value of a flat map."""
        if self.low == self.high:
            return f"flat map, {number(self.low)}"
        return f"from {number(self.low)} to {number(self.high)}"


def draw_heat(values: NDArray[np.float32], declared: HeatMap, *, height: int, width: int) -> Heat:
    """Return a heat map, float32 [h, w], in the colours and with the ends that the service gives it.

    Args:
        values: of the map.
        declared: what the map is.
        height: of the picture that it belongs to.
        width: of that picture.
    """
    shrink = min(1.0, _SIDE / max(height, width))
    colours = colorize(
        scale(values, declared),
        height=max(1, round(height * shrink)),
        width=max(1, round(width * shrink)),
        colormap=_COLORMAP,
    )
    return Heat(_encode(colours), *value_range(values, declared))


def _encode(colours: Pixels) -> bytes:
    for quality in _QUALITIES:
        data = encode(colours, "image/webp", quality=quality)
        if len(data) <= BYTES:
            break
    return data


def draw_legend() -> bytes:
    """Return the colours from the lowest (left) to the highest (right) as a PNG file of one row."""
    return encode(legend(_COLORMAP, width=256, height=1), "image/png")


def key_of(declared: HeatMap) -> MapKey:
    """Return what tells a column's heat maps apart."""
    return declared.network, declared.part


def all_keys(maps: Iterable[Sequence[HeatMap]]) -> list[MapKey]:
    """Return the keys of all columns' heat maps, each once: network by network, the whole map first."""
    found = {key_of(declared) for declared_maps in maps for declared in declared_maps}
    return [(network, part) for network in NETWORKS for part in PARTS if (network, part) in found]


def why_missing(key: MapKey, declared: Sequence[HeatMap]) -> str:
    """Return why a column with these heat maps lacks another one."""
    network, _ = key
    if any(each.network == network for each in declared):
        return "this model has whole maps only"
    if network == "generator":
        return "this network has no CAM"
    return "this model has no map of this discriminator"
