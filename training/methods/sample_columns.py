"""The columns of a sample sheet that every method can draw, from its translators alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from models.networks.translation import Translation
from training.export.translator import Translator
from training.methods.method import Column

_STYLE_SEED = 0
"""Of the style codes on sample sheets, the same on every sheet."""


def sample_columns(translators: Sequence[Translator], batch: Mapping[str, Tensor]) -> dict[str, list[Column]]:
    """Return the columns of each direction; those of the way back need its opposite.

    Args:
        translators: of a method; their networks keep their mode.
        batch: pictures by domain, each `[N, 3, S, S]` in [-1, 1].
    """
    opposites = {(each.source, each.target): each for each in translators}
    return {
        each.direction: _columns(each, opposites.get((each.target, each.source)), batch[each.source])
        for each in translators
    }


def column_difference(columns: Sequence[Column], one: str, other: str) -> float:
    """Return the mean absolute difference of two columns, by their labels."""
    values = {column.label: column.values for column in columns}
    return float((values[one] - values[other]).abs().mean())


def heat_map(label: str, attention: Tensor | None) -> list[Column]:
    """Return the column of a heat map `[N, h, w]`; no column for None."""
    return [] if attention is None else [Column(label, attention)]


def _columns(forth: Translator, back: Translator | None, source: Tensor) -> list[Column]:
    translation = _translate(forth, source)
    columns = [
        Column("source", source),
        *heat_map("attention", translation.attention),
        Column("translation", translation.image),
    ]
    if back is not None:
        reconstruction = _translate(back, translation.image)
        columns += heat_map("attention back", reconstruction.attention)
        columns.append(Column("reconstruction", reconstruction.image))
    return columns


@torch.no_grad()
def _translate(translator: Translator, pictures: Tensor) -> Translation:
    style = []
    if translator.style is not None:
        # A generator of its own: the sheets must not change the random numbers of the training.
        random = torch.Generator().manual_seed(_STYLE_SEED)
        codes = torch.randn(1, translator.style.dimension, generator=random)
        style = [codes.expand(len(pictures), -1).to(pictures.device, pictures.dtype)]
    output: Translation = translator.network(pictures, *style)
    return output
