"""The feature maps of a frozen classifier, from which feature discriminators judge pictures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import torch
from torch import Tensor, nn

from training.pretrained.efficientnet import LITE2, fuse, load_classifier

STRIDES: Final = (4, 8, 16, 32)
"""Pixels of the picture per value of each map."""


class FeatureMaps(nn.Module):
    """EfficientNet-Lite2 up to its last block: four maps, with about mean 0 and variance 1 in each channel.

    It is not part of a checkpoint: its weights are constants, compared with their hash.
    """

    def __init__(self) -> None:
        """
        Raises:
            PretrainedError: its packages are not installed, or contain other weights.
        """
        super().__init__()
        network = load_classifier(LITE2)
        stages = list(_stages(network))[1:]
        self.channels = [len(mean) for mean, _ in stages]
        """Of the maps."""
        for scale, (mean, deviation) in enumerate(stages):
            self.register_buffer(f"mean{scale}", mean.view(1, -1, 1, 1))
            self.register_buffer(f"deviation{scale}", deviation.view(1, -1, 1, 1))
        self._network = fuse(network)

    def forward(self, pictures: Tensor) -> list[Tensor]:  # [B, 3, S, S] in [-1, 1]
        """Return maps `[B, C, S / stride, S / stride]`, from the finest to the coarsest."""
        # The classifier learned from (value - 127) / 128 for values of 0 to 255; half a level is ignored.
        x = self._network._swish(self._network._bn0(self._network._conv_stem(pictures)))
        maps = []
        for block in self._network._blocks:
            if _halves(block):
                maps.append(x)
            x = block(x)
        return [
            (each - self.get_buffer(f"mean{scale}")) / self.get_buffer(f"deviation{scale}")
            for scale, each in enumerate([*maps[1:], x])
        ]


def _stages(network: Any) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the mean and the standard deviation of each channel at the end of each stage of one size.

    They follow from the last normalisation of each block, whose results blocks with a skip connection add up.
    """
    mean = variance = torch.zeros(0)
    for block in network._blocks:
        if _halves(block) and len(mean):
            yield mean, variance.sqrt()
        last = block._bn2
        skips = len(mean) == last.num_features and not _halves(block)
        mean = last.bias + (mean if skips else 0)
        variance = last.weight.square() + (variance if skips else 0)
    yield mean, variance.sqrt()


def _halves(block: Any) -> bool:
    """Return whether a block halves the height and the width of its map."""
    return block._block_args.stride in (2, [2])
