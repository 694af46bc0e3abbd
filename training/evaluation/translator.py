"""Translate pictures with a torch network or a bundle's graph, through one interface."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from models.bundle.canary import check_canary, read_canary
from models.bundle.directory import Bundle
from models.bundle.manifest import CANARY, GENERATOR, ImageSize
from models.networks.generator import Generator
from training.data.tensors import to_tensor
from training.evaluation.data import Pixels
from training.evaluation.errors import EvaluationError
from training.export.parity import cpu_session, run


class Answer(NamedTuple):
    """The outputs of a translator for a batch."""

    image: Pixels  # [N, H, W, 3]
    cam_logit: NDArray[np.float32] | None  # [N, 2], high where a picture looks like the source domain
    attention: NDArray[np.float32] | None  # [N, h, w]


class Translator(Protocol):
    """Translates pictures of one domain into another."""

    @property
    def size(self) -> ImageSize:
        """The size of the pictures it was trained with."""

    def translate(self, pixels: Pixels) -> Answer:
        """Translate a batch, uint8 [N, H, W, 3] of the translator's size."""


class NetworkTranslator:
    """A generator in torch, its outputs rounded to the levels of an exported graph."""

    def __init__(self, name: str, generator: Generator, *, device: str = "cpu") -> None:
        self._name = name
        self._generator = generator.eval().to(device)
        self._device = device

    @property
    def size(self) -> ImageSize:
        """The size of the pictures it was trained with."""
        config = self._generator.config
        return ImageSize(height=config.size, width=config.size, fixed=not config.light)

    @torch.inference_mode()
    def translate(self, pixels: Pixels) -> Answer:
        """Translate a batch, uint8 [N, H, W, 3].

        Raises:
            EvaluationError: the network returns values that are not finite.
        """
        image, cam_logit, attention = self._generator(to_tensor(list(pixels)).to(self._device))
        if not torch.isfinite(image).all():
            raise EvaluationError(
                f"{self._name} returned values that are not finite, so its translations cannot be measured; "
                "evaluate an earlier checkpoint."
            )
        levels = ((image + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        return Answer(levels.permute(0, 2, 3, 1).cpu().numpy(), _array(cam_logit), _array(attention))


class BundleTranslator:
    """A bundle's graph in onnxruntime on the CPU, in the precision of its file."""

    def __init__(self, bundle: Bundle) -> None:
        """Open a verified bundle.

        Raises:
            BundleError: the graph's outputs differ from the bundle's canary.
        """
        self._manifest = bundle.manifest
        self._session = cpu_session(bundle.files[GENERATOR], spinning=False)
        check_canary(read_canary(bundle.files[CANARY]), lambda pixels: run(self._session, pixels), exact=True)

    @property
    def size(self) -> ImageSize:
        """The size of the pictures it was trained with."""
        return self._manifest.image

    def translate(self, pixels: Pixels) -> Answer:
        """Translate a batch, uint8 [N, H, W, 3]."""
        outputs = run(self._session, pixels)
        return Answer(outputs["image"], outputs.get("cam_logit"), outputs.get("attention"))


def _array(values: torch.Tensor | None) -> NDArray[np.float32] | None:
    return None if values is None else values.float().cpu().numpy()
