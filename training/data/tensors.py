"""Convert pictures into the tensors that the networks take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def to_tensor(pictures: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Return pictures of one size, uint8 [H, W, 3], as float32 [B, 3, H, W] from -1 to 1.

    numpy computes it, because torch would start a second pool of threads in the thread that prefetches.
    """
    height, width, channels = pictures[0].shape
    batch = np.empty((len(pictures), channels, height, width), np.float32)
    for plane, picture in zip(batch, pictures, strict=True):
        np.divide(picture.transpose(2, 0, 1), np.float32(127.5), out=plane)
    batch -= 1
    return torch.from_numpy(batch)
