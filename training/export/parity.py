"""Check that an exported graph computes what torch computes, on generated pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from models.bundle.canary import MAX_RELATIVE, STYLE, output_difference, smooth_picture
from models.bundle.graph_switches import MIXED, WINOGRAD, turn_on
from models.bundle.manifest import Parity
from training.export.translator import Translator

Arrays = Mapping[str, NDArray[Any]]

MAX_LEVELS: Final = 1
MIN_EQUAL: Final = 0.995
_KINDS: Final = ("cam_logit", "attention")
"""Outputs beside the image whose difference a manifest states."""


class ParityError(RuntimeError):
    """The outputs of an exported graph differ from torch's or are not finite; nothing was written."""


def check_translator(model: bytes, translator: Translator) -> Parity:
    """Compare an exported translator with the torch one, with its switches off and with each turned on.

    Args:
        model: as `export_translator` returns it.
        translator: the same one in float64.

    Raises:
        ParityError: an image value differs by more than 1, fewer than 99.5 % are equal, logits or maps differ
            by more than 1e-3 of their largest value (`output_difference`), or a value is not finite.
    """
    size, graphs = translator.size, [model, *(turn_on(model, switch) for switch in (WINOGRAD, MIXED))]
    sessions = [cpu_session(each) for each in graphs]
    levels, equal, relative = 0, [], dict.fromkeys(_KINDS, 0.0)
    shapes = [(size.height, size.width), *([] if size.fixed else [(size.height + 4, size.width)])]
    kinds: set[str] = set()
    for pixels in picture_batches(shapes):
        inputs = translator_inputs(translator, pixels)
        expected = expected_outputs(translator, inputs)
        kinds |= {_kind(name) for name in expected.keys() - {"image"}}
        for found in (run(session, **inputs) for session in sessions):
            require_finite("exported generator", found)
            difference = np.abs(found["image"].astype(int) - expected["image"])
            levels = max(levels, int(difference.max()))
            equal.append(float((difference == 0).mean()))
            for name in expected.keys() - {"image"}:
                off = output_difference(name, found[name], expected[name])
                relative[_kind(name)] = max(relative[_kind(name)], off)
    parity = Parity(
        reference=f"torch {torch.__version__.split('+')[0]}, float64, CPU",
        runtime=f"onnxruntime {onnxruntime.__version__}, float32, CPU",
        vectors=f"{2 * len(shapes)} batches of random and of smooth pictures at "
        + " and ".join(f"{height}x{width}" for height, width in shapes),
        image_max_levels=levels,
        image_equal=min(equal),
        cam_logit_relative=relative["cam_logit"] if "cam_logit" in kinds else None,
        attention_relative=relative["attention"] if "attention" in kinds else None,
    )
    _require(levels <= MAX_LEVELS and min(equal) >= MIN_EQUAL, parity)
    _require(max(relative.values()) <= MAX_RELATIVE, parity)
    return parity


def _require(within_limits: bool, parity: Parity) -> None:
    if not within_limits:
        measured = parity.model_dump_json(exclude={"reference", "runtime", "vectors"}, exclude_none=True)
        raise ParityError(f"The exported graph differs from torch, and nothing was written: {measured}.")


def translator_inputs(translator: Translator, pixels: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """Return the inputs of an exported translator: the pixels, and where it takes them style codes."""
    if translator.style is None:
        return {"pixels": pixels}
    draws = np.random.default_rng(0).standard_normal((len(pixels), translator.style.dimension))
    return {"pixels": pixels, STYLE: draws.astype(np.float32)}


def expected_outputs(translator: Translator, inputs: Arrays) -> dict[str, NDArray[Any]]:
    """Return torch's outputs in the types and layouts of an exported translator.

    Raises:
        ParityError: they are not finite, so they cannot be compared.
    """
    style = [torch.from_numpy(inputs[STYLE]).double()] if STYLE in inputs else []
    with torch.inference_mode():
        found = translator.outputs(translator.network, as_values(inputs["pixels"]), *style)
    outputs = {name: value.numpy() for name, value in found.items()}
    require_finite("generator", outputs)
    levels = np.rint((outputs.pop("image") + 1) * 127.5).transpose(0, 2, 3, 1).astype(np.uint8)
    return {"image": levels, **{name: value.astype(np.float32) for name, value in outputs.items()}}


def _kind(output: str) -> str:
    """Return what an output beside the image counts as: the parts of a heat map count as the whole one."""
    return "attention" if output.startswith("attention") else output


def require_finite(whose: str, values: Arrays, *, suffix: str = "") -> None:
    # A difference from NaN is NaN, which no comparison with a limit finds.
    for name, value in values.items():
        if not np.isfinite(value).all():
            output = name.removesuffix(suffix)
            raise ParityError(f"{output} of the {whose} is not finite, and nothing was written.")


def as_values(pixels: NDArray[np.uint8]) -> torch.Tensor:
    """Convert uint8 `[N, H, W, 3]` to float64 `[N, 3, H, W]` in [-1, 1]."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).double() / 127.5 - 1


def cpu_session(model: bytes, *, spinning: bool = True) -> onnxruntime.InferenceSession:
    """Open a model in onnxruntime on the CPU.

    Args:
        model: the graph's bytes.
        spinning: whether threads that wait for work keep their cores. Where torch computes between two runs,
            they would take its cores.
    """
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spinning)))
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run(
    session: onnxruntime.InferenceSession, pixels: NDArray[np.uint8], **others: NDArray[Any]
) -> dict[str, NDArray[Any]]:
    """Return all outputs of a session by name, from the pixels and its other inputs."""
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"pixels": pixels, **others}), strict=True))


def picture_batches(shapes: list[tuple[int, int]]) -> Iterator[NDArray[np.uint8]]:
    """Yield a batch of two random and a batch of two smooth pictures for every shape."""
    for height, width in shapes:
        yield np.random.default_rng(0).integers(0, 256, (2, height, width, 3), dtype=np.uint8)
        yield np.stack([smooth_picture(height, width, seed=seed) for seed in (1, 2)])
