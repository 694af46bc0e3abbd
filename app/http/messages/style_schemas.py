"""The parts of JSON answers that describe styles."""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import BaseModel, Field

from app.engine.directions.direction_status import DirectionStatus
from app.engine.translation import Style
from models.bundle.style_codes import DEFAULT_SEED

MOST_STYLES: Final = 16
"""Styles of one photo in one answer."""


class StyleAnswer(BaseModel):
    """The style of a translation."""

    seed: int | None = Field(description="Null for the style of a reference.")

    @classmethod
    def of(cls, style: Style | None) -> Self | None:
        """Return the description of a style; None for a direction without styles."""
        return None if style is None else cls(seed=style.seed)


class StylesAnswer(BaseModel):
    """The styles that a direction takes."""

    dimension: int = Field(description="Numbers in a style code.")
    prior: Literal["normal"] = Field(description="The distribution of the codes: N(0, 1) for each number.")
    reference: bool = Field(description="Whether the style of a reference picture can be taken.")
    default_seed: int = Field(description="Of the style without an option.")
    most: int = Field(description="Most styles of one photo in one answer (option styles).")

    @classmethod
    def of(cls, direction: DirectionStatus) -> Self | None:
        """Return the styles of a direction; None for one that has only one."""
        style = None if direction.bundle is None else direction.bundle.manifest.style
        if style is None:
            return None
        return cls(
            dimension=style.dimension,
            prior=style.prior,
            reference=direction.references,
            default_seed=DEFAULT_SEED,
            most=MOST_STYLES,
        )
