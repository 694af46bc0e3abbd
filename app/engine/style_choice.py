"""The style of a translation: that of a seed, of a reference picture, or those of several seeds."""

from __future__ import annotations

from typing import NamedTuple

from app.engine.errors import NoReferences, NoStyles
from models.bundle.manifest import Manifest
from models.bundle.style_codes import DEFAULT_SEED


class StyleChoice(NamedTuple):
    """A chosen style, for a direction that has styles."""

    seed: int = DEFAULT_SEED
    """Of the style code, or of the first of several."""
    styles: int = 1
    """How many styles of one photo: those of the seeds from `seed` on."""
    reference: bytes | None = None
    """The file of a picture in the wanted style; its code is taken instead of a seed's."""

    @property
    def seeds(self) -> range:
        """The seeds of the styles."""
        return range(self.seed, self.seed + self.styles)


DEFAULT_STYLE = StyleChoice()


def chosen_style(choice: StyleChoice | None, direction: str, manifest: Manifest) -> StyleChoice | None:
    """Return the style of a translation; None for a direction without styles.

    Raises:
        NoStyles: a style was chosen, and the direction has none.
        NoReferences: a reference was sent, and the bundle cannot encode it.
    """
    if choice is None:
        return DEFAULT_STYLE if manifest.style is not None else None
    if manifest.style is None:
        raise NoStyles(direction)
    if choice.reference is not None and not manifest.reference:
        raise NoReferences(direction)
    return choice
