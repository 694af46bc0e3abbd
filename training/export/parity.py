"""Check that an exported graph computes what torch computes, on generated pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from models.bundle.canary import MAX_RELATIVE, relative_difference, smooth_picture
from models.bundle.declarations import PARTS, Network, map_name
from models.bundle.graph_switches import WINOGRAD, turn_on
from models.bundle.manifest import Parity
from models.networks.attention import run_with_parts
from models.networks.discriminator import Discriminator
from models.networks.generator import Generator

Arrays = Mapping[str, NDArray[Any]]

MAX_LEVELS: Final = 1
MIN_EQUAL: Final = 0.995


class ParityError(RuntimeError):
    """The outputs of an exported graph differ from torch's or are not finite; nothing was written."""


def check_generator(model: bytes, generator: Generator) -> Parity:
    """Compare an exported generator with the torch one, with the Winograd switch off and on.

    Args:
        model: as `export_generator` returns it.
        generator: the same network in float64.

    Raises:
        ParityError: an image value differs by more than 1, fewer than 99.5 % are equal, logits or maps differ
            by more than 1e-3 of their largest value, or a value is not finite.
    """
    size, sessions = generator.config.size, [cpu_session(model), cpu_session(turn_on(model, WINOGRAD))]
    levels, equal, relative = 0, [], {"cam_logit": 0.0, "attention": 0.0}
    shapes = [(size, size), *([(size + 4, size)] if generator.config.light else [])]
    for pixels in _pictures(shapes):
        expected = expected_outputs(generator, pixels)
        for found in (run(session, pixels) for session in sessions):
            _require_finite("exported generator", found)
            difference = np.abs(found["image"].astype(int) - expected["image"])
            levels = max(levels, int(difference.max()))
            equal.append(float((difference == 0).mean()))
            for name in expected.keys() - {"image"}:
                output = "attention" if name.startswith("attention") else name  # its parts count as well
                relative[output] = max(relative[output], relative_difference(found[name], expected[name]))
    with_cam = generator.cam is not None
    parity = Parity(
        reference=f"torch {torch.__version__.split('+')[0]}, float64, CPU",
        runtime=f"onnxruntime {onnxruntime.__version__}, float32, CPU",
        vectors=f"{2 * len(shapes)} batches of random and of smooth pictures at "
        + " and ".join(f"{height}x{width}" for height, width in shapes),
        image_max_levels=levels,
        image_equal=min(equal),
        cam_logit_relative=relative["cam_logit"] if with_cam else None,
        attention_relative=relative["attention"] if with_cam else None,
    )
    _require(levels <= MAX_LEVELS and min(equal) >= MIN_EQUAL, parity)
    _require(max(relative.values()) <= MAX_RELATIVE, parity)
    return parity


def _require(within_limits: bool, parity: Parity) -> None:
    if not within_limits:
        measured = parity.model_dump_json(exclude={"reference", "runtime", "vectors"}, exclude_none=True)
        raise ParityError(f"The exported graph differs from torch, and nothing was written: {measured}.")


def check_discriminators(model: bytes, local: Discriminator, global_: Discriminator, *, size: int) -> float:
    """Compare exported discriminators with the torch ones in float64; return the largest relative difference.

    Raises:
        ParityError: a logit or a map differs by more than 1e-3 of its largest value, or is not finite.
    """
    session, worst = cpu_session(model), 0.0
    pair: dict[Network, Discriminator] = {"local": local, "global": global_}
    for pixels in _pictures([(size, size)]):
        found = run(session, pixels)
        for network, discriminator in pair.items():
            output = _outputs(discriminator, pixels, network)
            _require_finite(f"{network} discriminator", output, suffix=f"_{network}")
            for name, expected in output.items():
                worst = max(worst, relative_difference(found[name], expected))
        _require_finite("exported discriminators", found)
    if worst > MAX_RELATIVE:
        raise ParityError(
            f"The exported discriminators differ from torch by {worst:.1e}, and nothing was written."
        )
    return worst


def expected_outputs(generator: Generator, pixels: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """Return torch's outputs in the types and layouts of an exported generator.

    Raises:
        ParityError: they are not finite, so they cannot be compared.
    """
    outputs = _outputs(generator, pixels, "generator")
    _require_finite("generator", outputs)
    levels = np.rint((outputs.pop("image") + 1) * 127.5).transpose(0, 2, 3, 1).astype(np.uint8)
    return {"image": levels, **{name: value.astype(np.float32) for name, value in outputs.items()}}


def _outputs(
    network: Generator | Discriminator, pixels: NDArray[np.uint8], kind: Network
) -> dict[str, NDArray[Any]]:
    """Return torch's outputs, the parts of the attention among them, by the names that an export gives."""
    with torch.inference_mode():
        output, parts = run_with_parts(network, as_values(pixels))
    suffix = "" if kind == "generator" else f"_{kind}"
    values = {f"{name}{suffix}": value for name, value in output._asdict().items() if value is not None}
    if parts is not None:
        values |= {map_name(kind, part): getattr(parts, part) for part in PARTS if part != "both"}
    return {name: value.numpy() for name, value in values.items()}


def _require_finite(whose: str, values: Arrays, *, suffix: str = "") -> None:
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


def run(session: onnxruntime.InferenceSession, pixels: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
    """Return all outputs of a session by name."""
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"pixels": pixels}), strict=True))


def _pictures(shapes: list[tuple[int, int]]) -> Iterator[NDArray[np.uint8]]:
    """Yield a batch of two random and a batch of two smooth pictures for every shape."""
    for height, width in shapes:
        yield np.random.default_rng(0).integers(0, 256, (2, height, width, 3), dtype=np.uint8)
        yield np.stack([smooth_picture(height, width, seed=seed) for seed in (1, 2)])
