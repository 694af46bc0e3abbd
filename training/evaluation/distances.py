"""The distances between sets of features as rows, under every protocol."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from training.data.folder import DOMAINS
from training.evaluation.data import EvaluationData
from training.evaluation.errors import EvaluationError
from training.evaluation.extractor import Extractor, FeatureArray
from training.evaluation.fid import frechet_distance
from training.evaluation.kid import (
    BLOCK_SIZE,
    PAPER_WEIGHTS,
    Estimate,
    paper_estimate,
    subset_mmd,
    unbiased_mmd,
)
from training.evaluation.rows import Row

MakeRow = Callable[..., Row]
"""`Row` with subject, direction, domains and steps filled in."""

DEFAULT_SUBSETS: Final = 100
DEFAULT_SUBSET_SIZE: Final = 1000
"""torch-fidelity's defaults."""


class Subsets(NamedTuple):
    """Size and number of torch-fidelity's subsets in the plain protocol."""

    size: int
    number: int


def choose_subsets(size: int | None, number: int | None, data: EvaluationData) -> Subsets | None:
    """Return the requested subsets; None means one estimate over all pictures.

    A missing value is torch-fidelity's default; the size is at most that of the smaller test folder.

    Raises:
        EvaluationError: a folder has fewer pictures than a subset.
    """
    if size is None and number is None:
        return None
    smaller = min(DOMAINS, key=data.count)
    most = data.count(smaller)
    if size is not None and size > most:
        raise EvaluationError(
            f"A subset of {size} pictures needs at least as many in each test folder, and "
            f"{data.folder / f'test{smaller}'} has {most}; give a --subset-size of at most {most}."
        )
    return Subsets(
        size=min(DEFAULT_SUBSET_SIZE, most) if size is None else size,
        number=DEFAULT_SUBSETS if number is None else number,
    )


class Distances(NamedTuple):
    """The extractor, subsets and seed with which all distances are measured."""

    extractor: Extractor
    subsets: Subsets | None
    seed: int

    def plain(self, row: MakeRow, translations: FeatureArray, targets: FeatureArray) -> list[Row]:
        """Return the kernel distance and the Frechet distance."""
        frechet = self._filled(row, translations, targets)(
            metric=f"fid{self.extractor.suffix}", value=frechet_distance(translations, targets)
        )
        return [self.kernel(row, translations, targets), frechet]

    def kernel(self, row: MakeRow, translations: FeatureArray, targets: FeatureArray) -> Row:
        """Return the kernel distance of the plain protocol, over all pictures or over subsets."""
        if self.subsets is None:
            estimate, drawn = Estimate(unbiased_mmd(translations, targets)), {}
        else:
            size, number = self.subsets
            estimate = subset_mmd(translations, targets, size=size, subsets=number, seed=self.seed)
            drawn = {"subset_size": size, "subsets": number}
        return self._filled(row, translations, targets)(
            metric=self._kid, protocol="plain", value=estimate.value, subset_std=estimate.subset_std, **drawn
        )

    def paper(
        self, row: MakeRow, *, translations: FeatureArray, sources: FeatureArray, targets: FeatureArray
    ) -> list[Row]:
        """Return the kernel distances under both protocols of the paper's author.

        Raises:
            EvaluationError: the numbers of pictures are too unequal for blocks.
        """
        row = self._filled(row, translations, targets)
        rows = []
        for protocol in PAPER_WEIGHTS:
            estimate = paper_estimate(protocol, translations=translations, sources=sources, targets=targets)
            rows.append(
                row(
                    metric=self._kid,
                    protocol=protocol,
                    value=estimate.value,
                    standard_error=estimate.standard_error,
                    n_sources=len(sources),
                    block_size=BLOCK_SIZE,
                )
            )
        return rows

    @property
    def _kid(self) -> str:
        return f"kid{self.extractor.suffix}"

    def _filled(self, row: MakeRow, translations: FeatureArray, targets: FeatureArray) -> MakeRow:
        return partial(
            row, extractor=self.extractor.name, n_translations=len(translations), n_targets=len(targets)
        )
