"""The feature maps of a frozen classifier, which part of U-GAT-IT's training can see instead of a picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import torch
from torch import Tensor, nn

from training.pretrained.efficientnet import LITE2, fuse, load_classifier

CHANNELS: Final[tuple[int, ...]] = (24, 48, 120, 352)
"""Of the maps, whose sides are those of the picture divided by 4, 8, 16 and 32, rounded up."""


class FeatureMaps(nn.Module):
    """EfficientNet-Lite2 up to its last block: four maps, each channel scaled to a variance of about 1.

    It is in no checkpoint: its weights are constants, compared with their hash.
    """

    def __init__(self) -> None:
        """
        Raises:
            PretrainedError: its packages are not installed, or contain other weights.
        """
        super().__init__()
        network = load_classifier(LITE2)
        for level, (mean, deviation) in enumerate(list(_stages(network))[1:]):
            self.register_buffer(f"mean{level}", mean.view(1, -1, 1, 1))
            self.register_buffer(f"deviation{level}", deviation.view(1, -1, 1, 1))
        self._network = fuse(network)

    def forward(
        self,
        pictures: Tensor,  # [B, 3, S, S] in [-1, 1]
        levels: int = len(CHANNELS),
    ) -> list[Tensor]:
        """Return the `levels` finest maps, 1 to 4: `[B, CHANNELS[i], s, s]`, the finest first."""
        # The classifier learned from (value - 127) / 128 for values of 0 to 255; half a level is ignored.
        x = self._network._swish(self._network._bn0(self._network._conv_stem(pictures)))
        maps = []
        for block in self._network._blocks:
            if _halves(block):
                maps.append(x)
                if len(maps) > levels:
                    break
            x = block(x)
        else:
            maps.append(x)
        return [
            (each - self.get_buffer(f"mean{level}")) / self.get_buffer(f"deviation{level}")
            for level, each in enumerate(maps[1:])
        ]


def _stages(network: Any) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the mean and the standard deviation of each channel at the end of each stage of one size.

    They follow from the last normalisation of each block, whose results blocks with a skip connection add up.
    So they hold for pictures like those that the classifier learned from, and for independent blocks. Faces
    and drawings had 0.7 to 1.3 times these deviations (medians of the channels).
    """
    mean = variance = torch.zeros(0)
    for block in network._blocks:
        if _halves(block) and len(mean):
            yield mean, variance.sqrt()
        last, skips = block._bn2, _skips(block)
        mean = last.bias + (mean if skips else 0)
        variance = last.weight.square() + (variance if skips else 0)
    yield mean, variance.sqrt()


def _halves(block: Any) -> bool:
    """Return whether a block halves the height and the width of its map."""
    return block._block_args.stride in (2, [2])


def _skips(block: Any) -> bool:
    """Return whether a block adds its input to its result."""
    shape = block._block_args
    return bool(block.id_skip and shape.stride == 1 and shape.input_filters == shape.output_filters)
