"""The InceptionV3 of torch-fidelity as an extractor: FID and KID are defined on its features."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Final

import numpy as np
import torch

from training.evaluation.data import Pixels, batches
from training.evaluation.errors import EvaluationError
from training.evaluation.extractor import FeatureArray
from training.pretrained.weights import PretrainedError, refuse_other_weights

NAME: Final = "inception"
WEIGHTS: Final = "weights-inception-2015-12-05-6726825d.pth"
SHA256: Final = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"

_LAYER: Final = "2048"
_BATCH: Final = 8
OTHER_WAYS: Final = f"give the file {WEIGHTS} with --inception-weights, or use --extractor efficientnet-lite0"
_UNLOADED_OPERATORS: Final = ("nms", "qnms")


class Inception:
    """The network of the 2015-12-05 graph, its last average pooling: 2048 features.

    The network itself resizes the pictures, as torch-fidelity does with files.
    """

    name: Final = NAME
    weights: Final = WEIGHTS
    sha256: Final = SHA256
    suffix: Final = ""

    def __init__(self, weights: Path, *, device: str = "cpu", remedy: str = OTHER_WAYS) -> None:
        """Load the network without changing torch's random state.

        Args:
            weights: the path of the file `WEIGHTS`.
            device: where to compute.
            remedy: what to do about another file, as the end of a sentence.

        Raises:
            EvaluationError: the file is another one, or torch-fidelity cannot be imported.
        """
        try:
            refuse_other_weights(weights, SHA256, remedy=remedy)
        except PretrainedError as error:
            raise EvaluationError(str(error)) from None
        fidelity = import_torch_fidelity()
        with torch.random.fork_rng(devices=[]):
            self._network = fidelity.FeatureExtractorInceptionV3(
                NAME, [_LAYER], feature_extractor_weights_path=str(weights)
            ).to(device)
        self._device = device

    def features(self, pictures: Iterable[Pixels]) -> FeatureArray:
        """Return the features of pictures, uint8 [H, W, 3] of any size, as float32 [n, 2048]."""
        rows = [
            self._batch_features(batch)
            for _, same_size in groupby(pictures, key=lambda picture: picture.shape)
            for batch in batches(same_size, _BATCH)
        ]
        return np.concatenate(rows)

    @torch.inference_mode()
    def _batch_features(self, pictures: list[Pixels]) -> FeatureArray:
        values = torch.from_numpy(np.stack(pictures).transpose(0, 3, 1, 2))  # uint8 [B, 3, H, W]
        (rows,) = self._network(values.to(self._device))
        features: FeatureArray = rows.cpu().numpy()
        return features


def cached_weights() -> Path:
    """Return the path at which torch-fidelity caches the weights."""
    return Path(torch.hub.get_dir()) / "checkpoints" / WEIGHTS


def download_weights() -> Path:
    """Download the weights atomically to the cache of torch-fidelity.

    Raises:
        EvaluationError: the download failed, or torch-fidelity cannot be imported.
    """
    network = importlib.import_module(f"{import_torch_fidelity().__name__}.feature_extractor_inceptionv3")
    path = cached_weights()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(
            network.URL_INCEPTION_V3, str(path), hash_prefix=SHA256, progress=False
        )
    except (OSError, RuntimeError) as error:  # no network, no disk; another hash
        reason = getattr(error, "reason", error)  # urllib wraps the error of the network
        words = getattr(reason, "strerror", None) or reason
        raise EvaluationError(
            f"Inception's weights are not on this machine and could not be downloaded ({words}); "
            f"{OTHER_WAYS}."
        ) from None
    return path


def import_torch_fidelity() -> ModuleType:
    """Import torch-fidelity, even where torchvision's operators do not load.

    Nothing that runs here needs torchvision. With a CPU build of torch and a CUDA build of torchvision the
    import fails only because two operators are unknown; then they are declared without an implementation.

    Raises:
        EvaluationError: it is not installed, or cannot be imported at all.
    """
    try:
        try:
            return importlib.import_module("torch_fidelity")
        except RuntimeError as error:
            if "torchvision::" not in str(error):
                raise
            _declare_operators()
            return importlib.import_module("torch_fidelity")
    except (ImportError, RuntimeError) as error:
        raise EvaluationError(
            f"The extractor {NAME} needs torch-fidelity, which cannot be imported ({error}); install the "
            "extra (pip install 'ugatit[evaluate]') and a torchvision that fits torch, or use "
            "--extractor efficientnet-lite0."
        ) from None


def _declare_operators() -> None:
    for name in _UNLOADED_OPERATORS:
        torch.library.define(
            f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        )
