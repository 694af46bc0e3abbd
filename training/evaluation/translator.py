"""Translate pictures with a torch network or a bundle's graph, through one interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from models.bundle.canary import check_canary, read_canary
from models.bundle.declarations import PARTS, HeatMap, Network, Part, declare_maps
from models.bundle.directory import Bundle
from models.bundle.manifest import CANARY, DISCRIMINATORS, GENERATOR, ImageSize
from models.networks.attention import run_with_parts
from models.networks.cam import CAMParts
from models.networks.discriminator import Discriminator
from models.networks.generator import Generator, GeneratorOutput
from training.data.tensors import to_tensor
from training.evaluation.data import Pixels
from training.evaluation.errors import EvaluationError
from training.export.parity import cpu_session, run


class Answer(NamedTuple):
    """The outputs of a translator for a batch."""

    image: Pixels  # [N, H, W, 3]
    cam_logit: NDArray[np.float32] | None  # [N, 2], high where a picture looks like the source domain
    attention: NDArray[np.float32] | None  # [N, h, w]


class Explained(NamedTuple):
    """An answer, and the heat maps of all networks for it."""

    answer: Answer
    maps: list[NDArray[np.float32]]
    """One `[N, h, w]` for each declared map, in that order."""


class Translator(Protocol):
    """Translates pictures of one domain into another."""

    @property
    def size(self) -> ImageSize:
        """The size of the pictures it was trained with."""

    @property
    def maps(self) -> Sequence[HeatMap]:
        """The heat maps that `explain` returns."""

    @property
    def missing_parts(self) -> Sequence[Part]:
        """The parts of its heat maps that its networks have and `explain` lacks."""

    def translate(self, pixels: Pixels) -> Answer:
        """Translate a batch, uint8 [N, H, W, 3] of the translator's size."""

    def explain(self, pixels: Pixels) -> Explained:
        """Translate a batch, and return all heat maps too; it takes longer."""


class NetworkTranslator:
    """A generator in torch, its outputs rounded to the levels of an exported graph."""

    missing_parts: Final = ()

    def __init__(
        self,
        name: str,
        generator: Generator,
        discriminators: Mapping[Network, Discriminator] = MappingProxyType({}),
        *,
        device: str = "cpu",
    ) -> None:
        """
        Args:
            name: for messages.
            generator: the translator.
            discriminators: of the target domain, for their heat maps.
            device: where to compute.
        """
        self._name = name
        self._generator = generator.eval().to(device)
        self._discriminators = {
            network: each for network, each in discriminators.items() if each.cam is not None
        }
        self._device = device

    @property
    def size(self) -> ImageSize:
        """The size of the pictures it was trained with."""
        config = self._generator.config
        return ImageSize(height=config.size, width=config.size, fixed=not config.light)

    @property
    def maps(self) -> list[HeatMap]:
        """The heat maps of the networks with a CAM, as an export declares them."""
        own: list[Network] = [] if self._generator.cam is None else ["generator"]
        return declare_maps([*own, *self._discriminators])

    @torch.inference_mode()
    def translate(self, pixels: Pixels) -> Answer:
        """Translate a batch, uint8 [N, H, W, 3].

        Raises:
            EvaluationError: the network returns values that are not finite.
        """
        return self._answer(self._generator(self._values(pixels)))

    @torch.inference_mode()
    def explain(self, pixels: Pixels) -> Explained:
        """Translate a batch, uint8 [N, H, W, 3], and return all heat maps too.

        Raises:
            EvaluationError: a network returns values that are not finite.
        """
        output, parts = run_with_parts(self._generator, self._values(pixels))
        answer = self._answer(output)
        maps = _maps(output.attention, parts)
        for discriminator in self._discriminators.values():
            judged, parts = run_with_parts(discriminator.eval().to(self._device), self._values(answer.image))
            maps += _maps(judged.attention, parts)
        _require_finite(self._name, maps)
        return Explained(answer, maps)

    def _values(self, pixels: Pixels) -> torch.Tensor:
        return to_tensor(list(pixels)).to(self._device)

    def _answer(self, output: GeneratorOutput) -> Answer:
        image, cam_logit, attention = output
        if not torch.isfinite(image).all():
            raise EvaluationError(
                f"{self._name} returned values that are not finite, so its translations cannot be measured; "
                "evaluate an earlier checkpoint."
            )
        levels = ((image + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        return Answer(levels.permute(0, 2, 3, 1).cpu().numpy(), _array(cam_logit), _array(attention))


class BundleTranslator:
    """A bundle's graphs in onnxruntime on the CPU, in the precision of their files."""

    def __init__(self, bundle: Bundle) -> None:
        """Open a verified bundle.

        Raises:
            BundleError: the graph's outputs differ from the bundle's canary.
        """
        self._manifest, self._files = bundle.manifest, bundle.files
        self._session = cpu_session(self._files[GENERATOR], spinning=False)
        check_canary(read_canary(self._files[CANARY]), lambda pixels: run(self._session, pixels), exact=True)

    @property
    def size(self) -> ImageSize:
        """The size of the pictures it was trained with."""
        return self._manifest.image

    @property
    def maps(self) -> list[HeatMap]:
        """The heat maps that the manifest declares."""
        return self._manifest.maps

    @property
    def missing_parts(self) -> list[Part]:
        """The parts that a bundle of an earlier format lacks."""
        return self._manifest.missing_parts

    def translate(self, pixels: Pixels) -> Answer:
        """Translate a batch, uint8 [N, H, W, 3]."""
        return self._answer(run(self._session, pixels))

    def explain(self, pixels: Pixels) -> Explained:
        """Translate a batch, uint8 [N, H, W, 3], and return all declared heat maps too.

        Raises:
            EvaluationError: a network returns values that are not finite.
        """
        outputs = run(self._session, pixels)
        answer = self._answer(outputs)
        if self._discriminators is not None:
            outputs |= run(self._discriminators, answer.image)
        maps = [outputs[each.name] for each in self.maps]
        _require_finite(self._manifest.direction, maps)
        return Explained(answer, maps)

    @cached_property
    def _discriminators(self) -> onnxruntime.InferenceSession | None:
        """The discriminators, opened when they are needed; None if the manifest declares no maps of them."""
        declared = self._manifest.maps_of("local", "global")
        return cpu_session(self._files[DISCRIMINATORS], spinning=False) if declared else None

    def _answer(self, outputs: Mapping[str, NDArray[Any]]) -> Answer:
        """Return the outputs by what the manifest declares about them."""
        logits = [outputs[each.name] for each in self._manifest.logits]
        whole = [outputs[each.name] for each in self._manifest.maps_of("generator") if each.part == "both"]
        return Answer(outputs["image"], *(next(iter(found), None) for found in (logits, whole)))


def _maps(whole: torch.Tensor | None, parts: CAMParts | None) -> list[NDArray[np.float32]]:
    """Return a network's heat maps in the order of `PARTS`."""
    if whole is None or parts is None:
        return []
    values = {"both": whole, **parts._asdict()}
    return [values[part].float().cpu().numpy() for part in PARTS]


def _require_finite(whose: str, maps: Sequence[NDArray[np.float32]]) -> None:
    if not all(np.isfinite(values).all() for values in maps):
        raise EvaluationError(
            f"{whose} returned a heat map whose values are not finite; use an earlier checkpoint, or a "
            "bundle exported from one."
        )


def _array(values: torch.Tensor | None) -> NDArray[np.float32] | None:
    return None if values is None else values.float().cpu().numpy()
