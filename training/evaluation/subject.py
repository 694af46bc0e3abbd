"""What is evaluated: the translators of a run or of a bundle, and what is known of them."""

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
    """The opposite direction, where the subject has it or its bundle was named, too."""


@dataclass(frozen=True)
class Subject:
    """A run, or a bundle."""

    name: str
    kind: Kind
    steps: int | None
    directions: Sequence[Direction]
    facts: Mapping[str, JsonValue] = field(default_factory=dict)
    """What else identifies it in the JSON file."""
