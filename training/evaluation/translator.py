"""Translate pictures with a torch network or a bundle's graph, through one interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from models.bundle.canary import STYLE, check_canary, read_canary
from models.bundle.declarations import HeatMap, Logits, Part
from models.bundle.directory import Bundle
from models.bundle.errors import BundleError
from models.bundle.manifest import CANARY, DISCRIMINATORS, GENERATOR, ImageSize
from models.networks.translation import Translation
from training.data.tensors import to_tensor
from training.evaluation.data import Pixels
from training.evaluation.errors import EvaluationError
from training.export.parity import cpu_session, run
from training.export.translator import Translator as NetworkDirection

STYLE_SEED: Final = 0
"""Of the style codes of an evaluation: one independent code for each picture, never the best of several."""


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
    """A network in torch, its outputs rounded to the levels of an exported graph.

    Where it takes style codes, every picture gets one of its own, from a seed: the same in every evaluation.
    """

    missing_parts: Final = ()

    def __init__(self, name: str, translator: NetworkDirection, *, device: str = "cpu") -> None:
        """
        Args:
            name: for messages.
            translator: of a method.
            device: where to compute.
        """
        self._name, self._translator, self._device = name, translator, device
        self._network = translator.network.eval().to(device)
        self._styles = torch.Generator().manual_seed(STYLE_SEED)

    @property
    def size(self) -> ImageSize:
        """The size of the pictures it was trained with."""
        return self._translator.size

    @property
    def maps(self) -> list[HeatMap]:
        """The heat maps of all networks, as an export declares them."""
        return [*self._translator.maps, *self._translator.judged_maps]

    @torch.inference_mode()
    def translate(self, pixels: Pixels) -> Answer:
        """Translate a batch, uint8 [N, H, W, 3].

        Raises:
            EvaluationError: the network returns values that are not finite.
        """
        values = self._values(pixels)
        output: Translation = self._network(values, *self._style(len(values)))
        return self._answer(output._asdict())

    @torch.inference_mode()
    def explain(self, pixels: Pixels) -> Explained:
        """Translate a batch, uint8 [N, H, W, 3], and return all heat maps too.

        Raises:
            EvaluationError: a network returns values that are not finite.
        """
        values = self._values(pixels)
        outputs = dict(self._translator.outputs(self._network, values, *self._style(len(values))))
        answer = self._answer(outputs)
        if self._translator.judge is not None:
            outputs |= self._translator.judge(self._values(answer.image))
        maps = [outputs[each.name].float().cpu().numpy() for each in self.maps]
        _require_finite(self._name, maps)
        return Explained(answer, maps)

    def _values(self, pixels: Pixels) -> torch.Tensor:
        return to_tensor(list(pixels)).to(self._device)

    def _style(self, count: int) -> list[torch.Tensor]:
        style = self._translator.style
        if style is None:
            return []
        return [torch.randn(count, style.dimension, generator=self._styles).to(self._device)]

    def _answer(self, outputs: Mapping[str, torch.Tensor | None]) -> Answer:
        image = outputs["image"]
        assert image is not None
        if not torch.isfinite(image).all():
            raise EvaluationError(
                f"{self._name} returned values that are not finite, so its translations cannot be measured; "
                "evaluate an earlier checkpoint."
            )
        levels = ((image + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        found = levels.permute(0, 2, 3, 1).cpu().numpy()
        return Answer(found, _array(outputs.get("cam_logit")), _array(outputs.get("attention")))


class BundleTranslator:
    """A bundle's graphs in onnxruntime on the CPU, in the precision of their files.

    Style codes are those of `NetworkTranslator`.
    """

    def __init__(self, bundle: Bundle) -> None:
        """Open a verified bundle.

        Raises:
            BundleError: the graph's outputs differ from the bundle's canary, or a declared one is missing.
        """
        self._manifest, self._files = bundle.manifest, bundle.files
        own: list[HeatMap | Logits] = [*self._manifest.logits, *self._manifest.maps_of("generator")]
        self._session = self._open(GENERATOR, own)
        self._styles = torch.Generator().manual_seed(STYLE_SEED)
        check_canary(read_canary(self._files[CANARY]), self._run, exact=True)

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
        return self._answer(self._run(pixels, *self._style(len(pixels))))

    def explain(self, pixels: Pixels) -> Explained:
        """Translate a batch, uint8 [N, H, W, 3], and return all declared heat maps too.

        Raises:
            EvaluationError: a network returns values that are not finite.
        """
        outputs = self._run(pixels, *self._style(len(pixels)))
        answer = self._answer(outputs)
        if self._discriminators is not None:
            outputs |= run(self._discriminators, answer.image)
        maps = [outputs[each.name] for each in self.maps]
        _require_finite(self._manifest.direction, maps)
        return Explained(answer, maps)

    def _run(self, pixels: Pixels, *style: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        return run(self._session, pixels, **({STYLE: style[0]} if style else {}))

    def _style(self, count: int) -> list[NDArray[np.float32]]:
        style = self._manifest.style
        return [] if style is None else [torch.randn(count, style.dimension, generator=self._styles).numpy()]

    @cached_property
    def _discriminators(self) -> onnxruntime.InferenceSession | None:
        """The discriminators, opened when they are needed; None if the manifest declares no maps of them."""
        declared = self._manifest.maps_of("local", "global")
        return self._open(DISCRIMINATORS, declared) if declared else None

    def _open(self, file: str, declared: Sequence[HeatMap | Logits]) -> onnxruntime.InferenceSession:
        """Open a graph, and check that it has the outputs that the manifest declares."""
        session = cpu_session(self._files[file], spinning=False)
        found = {output.name for output in session.get_outputs()}
        if missing := [each.name for each in declared if each.name not in found]:
            raise BundleError(
                f"The bundle of {self._manifest.direction} declares the output {missing[0]}, which its "
                f"{file} does not have; export or wrap it again."
            )
        return session

    def _answer(self, outputs: Mapping[str, NDArray[Any]]) -> Answer:
        """Return the outputs by what the manifest declares about them."""
        logits = [outputs[each.name] for each in self._manifest.logits]
        whole = [outputs[each.name] for each in self._manifest.maps_of("generator") if each.part == "both"]
        return Answer(outputs["image"], *(next(iter(found), None) for found in (logits, whole)))


def _require_finite(whose: str, maps: Sequence[NDArray[np.float32]]) -> None:
    if not all(np.isfinite(values).all() for values in maps):
        raise EvaluationError(
            f"{whose} returned a heat map whose values are not finite; use an earlier checkpoint, or a "
            "bundle exported from one."
        )


def _array(values: torch.Tensor | None) -> NDArray[np.float32] | None:
    return None if values is None else values.float().cpu().numpy()
