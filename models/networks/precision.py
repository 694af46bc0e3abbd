"""Autocast, which computes convolutions and matrix products in bfloat16 and some layers in float32."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def without_autocast(x: Tensor) -> AbstractContextManager[object]:
    """Return a context that computes in the dtype of the tensors, on the device of x."""
    # The meta device has no autocast.
    return nullcontext() if x.is_meta else torch.autocast(x.device.type, enabled=False)


def computing_dtype(x: Tensor) -> torch.dtype:
    """Return the dtype in which a convolution of x is computed: that of autocast if it is on."""
    autocast = not x.is_meta and torch.is_autocast_enabled(x.device.type)
    return torch.get_autocast_dtype(x.device.type) if autocast else x.dtype
