"""Losses that are no numbers stop a run."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


class NonFiniteLossError(RuntimeError):
    """A loss term is infinite or not a number. The message names it."""


def refuse_non_finite(terms: Mapping[str, Tensor]) -> None:
    """Stop before an optimizer learns from a broken loss.

    Raises:
        NonFiniteLossError: naming the terms.
    """
    broken = [name for name, term in terms.items() if not torch.isfinite(term)]
    if broken:
        raise NonFiniteLossError(f"{', '.join(broken)} is not finite; nothing was learned from it.")
