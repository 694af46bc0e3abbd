"""The rows of an evaluation; a row is one figure."""

from __future__ import annotations

from dataclasses import dataclass

from training.evaluation.kid import Protocol


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure of one direction of one subject, with the facts needed to compare it.

    A field that does not apply to a figure is None.
    """

    subject: str
    direction: str
    domains: str
    """`A2B` or `B2A`: testA translated to domain B, or testB to domain A."""
    steps: int | None = None
    """Training steps; None where a bundle does not record them."""
    metric: str
    """`kid`, `kid-lite`, `fid`, `fid-lite`, `cycle-l1`, `identity-l1`, `cam-accuracy-source`,
    `cam-accuracy-target`, `sharpness`, `sharpness-target` or `attention-in-face`."""
    protocol: Protocol | None = None
    """Protocol of a kernel distance."""
    extractor: str | None = None
    """Extractor of the compared features."""
    value: float
    subset_std: float | None = None
    standard_error: float | None = None
    n_sources: int | None = None
    """Source pictures of the figure."""
    n_translations: int | None = None
    n_targets: int | None = None
    subset_size: int | None = None
    subsets: int | None = None
    block_size: int | None = None
    """Largest number of pictures in a block, of the paper's protocols."""
