"""The subject of an evaluation: a run or a bundle, with its translators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from pydantic import JsonValue

from training.data.folder import Domain
from training.evaluation.translator import Translator

Kind = Literal["run", "bundle"]


class Direction(NamedTuple):
    """One direction of a subject."""

    name: str
    """`A2B` or `B2A` of a run; a bundle's own, such as `selfie2anime`."""
    source: Domain
    target: Domain
    forth: Translator
    back: Translator | None
    """The opposite direction, where the subject has it or its bundle was given too."""


@dataclass(frozen=True)
class Subject:
    """A run, or a bundle."""

    name: str
    kind: Kind
    steps: int | None
    directions: Sequence[Direction]
    facts: Mapping[str, JsonValue] = field(default_factory=dict)
    """Further facts that identify it in the JSON file."""
