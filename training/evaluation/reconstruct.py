"""Pass test pictures to translators of any size: there, and back again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from models.images.frame import resize
from training.data.folder import Domain
from training.evaluation.data import EvaluationData, Pixels, batches
from training.evaluation.subject import Direction
from training.evaluation.translator import Translator

_BATCH: Final = 4


def picture_batches(data: EvaluationData, domain: Domain, translator: Translator) -> Iterator[Pixels]:
    """Yield the pictures of a domain at the translator's size, uint8 [N, H, W, 3].

    Raises:
        DataError: a file can no longer be read.
    """
    size = translator.size
    for batch in batches(data.stretched(domain, height=size.height, width=size.width), _BATCH):
        yield np.stack(batch)


def reconstruct(direction: Direction, translations: Pixels, *, like: Pixels) -> Pixels | None:
    """Return translations translated back, at the size of the pictures `like`; None without a way back."""
    if direction.back is None:
        return None
    again = direction.back.translate(_fitting(translations, direction.back)).image
    return _stretched(again, like.shape[1], like.shape[2])


def _fitting(pixels: Pixels, translator: Translator) -> Pixels:
    """Return pictures in a size that a translator takes: resized only where its size is fixed."""
    size = translator.size
    return _stretched(pixels, size.height, size.width) if size.fixed else pixels


def _stretched(pixels: Pixels, height: int, width: int) -> Pixels:
    if pixels.shape[1:3] == (height, width):
        return pixels
    return np.stack([resize(each, height=height, width=width) for each in pixels])
