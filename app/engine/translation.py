"""What the engine returns for one translated picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine.errors import NoSuchFace
from app.engine.face_choice import FoundFace
from app.engine.input_quality import InputQuality
from app.engine.reconstruction import Reconstruction, joined_versions, version_as_run
from app.engine.runtime.session import Execution
from app.engine.store.entry import AttentionMap, Entry
from models.bundle.declarations import HeatMap
from models.images.frame import Fit
from models.images.timing import Timing


class StageSeconds(NamedTuple):
    """The time that a translation spent in each stage of the engine."""

    decode: float
    queue: float
    inference: float


class Style(NamedTuple):
    """The style of a translation."""

    seed: int | None
    """None for the style of a reference."""


class StyledEntry(NamedTuple):
    """A translation in one of several styles."""

    style: Style
    entry: Entry


class TranslationResult(NamedTuple):
    """One translated picture."""

    id: str | None
    """For its heat maps; None if they are not kept: they need not be, or the store failed."""
    entry: Entry
    source_probability: float | None
    """How sure the generator's classifiers are to see the source domain, 0 to 1; None without attention."""
    seconds: StageSeconds
    batch: int
    """How many pictures its run had, this one included."""
    execution: Execution | None
    """Where and in which precision the direction's model runs."""
    shown_size: tuple[int, int]
    """Height and width of what the first crop shows, in the photo's own pixels."""
    fit: Fit = "cover"
    framed_by: Literal["face", "fit"] = "fit"
    """Whether faces were turned upright and framed, or the photo was framed by `fit`."""
    faces: Sequence[FoundFace] | None = None
    """Of the photo, the largest first; None if none were searched for."""
    quality: InputQuality | None = None
    """How well the photo suits the network; None if no faces were searched for."""
    timing: Timing | None = None
    """When the frames of an animation are shown; None for a still picture."""
    style: Style | None = None
    """None for a direction without styles."""
    further_styles: Sequence[StyledEntry] = ()
    """The translations in further styles, if several were asked for."""
    reconstruction: Reconstruction | None = None
    """Of the first crop; None if it was not wanted."""

    @property
    def versions(self) -> str:
        """What names the bundles that made it, and how they ran."""
        back = self.reconstruction
        own = version_as_run(self.entry.version, self.execution)
        return joined_versions(own, back.version if back is not None else None)

    def in_each_style(self) -> list[TranslationResult]:
        """Return the translation in each of its styles, this one first."""
        further = [self._replace(entry=entry, style=style) for style, entry in self.further_styles]
        return [each._replace(further_styles=()) for each in (self, *further)]


class FoundMap(NamedTuple):
    """A heat map of an earlier translation."""

    entry: Entry
    declared: HeatMap
    maps: Sequence[AttentionMap]
    """Its values for each crop of the entry."""

    @property
    def values(self) -> AttentionMap:
        """The first crop's."""
        return self.maps[0]

    def of_face(self, number: int) -> FoundMap:
        """Return the heat map of one translated face, 0 for the largest; of a photo without faces only 0.

        Raises:
            NoSuchFace: fewer faces were translated.
        """
        if number >= len(self.maps):
            raise NoSuchFace(number, len(self.maps))
        entry = replace(self.entry, crops=[self.entry.crops[number]])
        return FoundMap(entry, self.declared, [self.maps[number]])


def source_probability(cam_logit: NDArray[Any]) -> float:
    """Return the mean of the two classifiers' sigmoids, from logits `[2]`."""
    return float(np.mean(1 / (1 + np.exp(-cam_logit.astype(np.float64)))))
