"""The output of every network that translates pictures."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Translation(NamedTuple):
    """A translated picture, and what the network shows of how it was made."""

    image: Tensor  # [B, 3, S, S], in [-1, 1]
    cam_logit: Tensor | None = None  # [B, 2], high if the input looks like the source domain
    attention: Tensor | None = None  # [B, h, w]; a heat map of relevance, or a mask from 0 to 1
