"""What a store keeps of one translation: a plain value without locks, which can be pickled."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.bundle.declarations import HeatMap, Network, Part
from models.images.affine import Affine
from models.images.frame import Frame

AttentionMap = NDArray[np.float32]
"""Raw attention `[h, w]` of one network."""

Maps = Mapping[str, AttentionMap]
"""Raw attention by the name that the manifest declares."""

ComputeMaps = Callable[[], Awaitable[Maps]]
"""Runs the discriminators and returns their maps."""

_IDENTITY = Affine(1, 0, 0, 0, 1, 0)
_OVERHEAD_BYTES = 1024
"""A rough estimate of an entry's size without its arrays, so that tiny pictures count too."""


class Crop(NamedTuple):
    """One translated part of a photo."""

    source: Frame
    """The network's input."""
    translation: NDArray[np.uint8]
    """`[H, W, 3]`, the whole frame, padding included."""
    maps: Maps
    """The generator's maps `[h, w]`."""
    to_frame: Affine = _IDENTITY
    """From places in the upright photo, in its own pixels, to places in the frame."""


class Scene(NamedTuple):
    """The photo into which the crops are put back."""

    pixels: NDArray[np.uint8]
    """`[h, w, 3]`, a small copy."""
    height: int
    """Of the photo itself, upright."""
    width: int


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One translation with the generator's heat maps."""

    direction: str
    version: str
    """Of the bundle that translated it."""
    crops: Sequence[Crop]
    """At least one; of several faces the largest first. Of an animation, frame by frame."""
    declared: Sequence[HeatMap]
    """The heat maps that the bundle declares, of all its networks."""
    expires_at: float
    """Seconds since 1970."""
    scenes: Sequence[Scene] = ()
    """One for each frame; empty if the answer shows only the first crop."""
    frames: int = 1
    """How many; more than one of an animation."""

    @property
    def scene(self) -> Scene | None:
        """The first frame's; None if the answer shows only the first crop."""
        return self.scenes[0] if self.scenes else None

    def of_frame(self, number: int) -> Entry:
        """Return what is kept of one frame; 0 is the first."""
        if self.frames == 1:
            return self
        crops = len(self.crops) // self.frames
        return replace(
            self,
            crops=self.crops[number * crops : (number + 1) * crops],
            scenes=self.scenes[number : number + 1],
            frames=1,
        )

    @property
    def source(self) -> Frame:
        """The network's input for the first crop."""
        return self.crops[0].source

    @property
    def translation(self) -> NDArray[np.uint8]:
        """The first crop's."""
        return self.crops[0].translation

    @property
    def maps(self) -> Maps:
        """The first crop's."""
        return self.crops[0].maps

    @property
    def size_bytes(self) -> int:
        """The memory of the entry; a discriminator's map counts like the generator's largest."""
        scenes = sum(scene.pixels.nbytes for scene in self.scenes)
        return sum(map(self._crop_bytes, self.crops)) + scenes + _OVERHEAD_BYTES

    def _crop_bytes(self, crop: Crop) -> int:
        sizes = [values.nbytes for values in crop.maps.values()]
        later = sum(each.network != "generator" for each in self.declared) * max(sizes, default=0)
        return crop.source.pixels.nbytes + crop.translation.nbytes + sum(sizes) + later

    def find(self, network: Network, part: Part = "both") -> HeatMap | None:
        """Return the declared heat map of a network; None if the bundle has no such map."""
        return next((each for each in self.declared if (each.network, each.part) == (network, part)), None)


def crop_map(name: str, number: int) -> str:
    """Return the name under which a crop's map is kept; the first crop's is the declared name itself."""
    return f"{name}.{number}" if number else name


def discriminator_map_names(entry: Entry) -> set[str]:
    """Return the names of all of an entry's discriminators' maps, of all its crops."""
    declared = [each.name for each in entry.declared if each.network != "generator"]
    return {crop_map(name, number) for name in declared for number in range(len(entry.crops))}


def new_id() -> str:
    """Return 128 random bits as 22 base64url characters."""
    return secrets.token_urlsafe(16)
