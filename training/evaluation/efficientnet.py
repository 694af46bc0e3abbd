"""EfficientNet-Lite0 as an extractor that works offline: its weights come in a Python package."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Resampling

from training.evaluation.data import Pixels, batches
from training.evaluation.errors import EvaluationError
from training.evaluation.extractor import FeatureArray
from training.pretrained.efficientnet import LITE0, fuse, load_classifier
from training.pretrained.weights import PretrainedError

NAME: Final = LITE0.name

_SIZE: Final = 128
"""Every picture is first resized to this size, so that its own size does not change its figures."""
_INPUT_SIZE: Final = 224
_BATCH: Final = 16


class EfficientNetLite0:
    """ImageNet's EfficientNet-Lite0, the mean over its last feature map: 1280 features."""

    name: Final = NAME
    weights: Final = LITE0.weights
    sha256: Final = LITE0.sha256
    suffix: Final = "-lite"

    def __init__(self, *, device: str = "cpu") -> None:
        """Load the network without changing torch's random state.

        Raises:
            EvaluationError: its packages are not installed, or contain other weights.
        """
        try:
            self._network = fuse(load_classifier(LITE0)).to(device)
        except PretrainedError as error:
            raise EvaluationError(str(error)) from None
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


def _prepared(picture: Pixels) -> NDArray[np.float32]:
    """Return float32 [3, 224, 224]: Lanczos to 128 pixels, bicubic to 224, then (value - 127) / 128."""
    small = Image.fromarray(picture).resize((_SIZE, _SIZE), Resampling.LANCZOS)
    large = small.resize((_INPUT_SIZE, _INPUT_SIZE), Resampling.BICUBIC)
    values = (np.asarray(large).astype(np.float32) - np.float32(127)) / np.float32(128)
    return values.transpose(2, 0, 1)
