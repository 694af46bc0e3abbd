"""Export the discriminators of a target domain for a bundle, and compare them with torch."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from models.bundle.canary import MAX_RELATIVE, output_difference
from models.bundle.declarations import Network
from models.networks.config import ConfigError, GeneratorConfig
from models.networks.discriminator import Discriminator
from training.export.parity import (
    ParityError,
    as_values,
    cpu_session,
    picture_batches,
    require_finite,
    run,
)
from training.export.translator import DiscriminatorGraph
from training.methods.ugatit.discriminator_graph import export_discriminators
from training.methods.ugatit.generator_outputs import outputs_with_parts


class DiscriminatorPair(NamedTuple):
    """The discriminators of a direction's target domain."""

    local: Discriminator
    global_: Discriminator


def discriminator_exporter(
    pair: DiscriminatorPair, config: GeneratorConfig
) -> Callable[[], DiscriminatorGraph]:
    """Return a function that exports the discriminators for pictures of the generator's size.

    It raises `ConfigError` if a discriminator has no CAM, or needs larger pictures than the generator's, and
    `ParityError` if the exported graph differs from torch.
    """

    def export() -> DiscriminatorGraph:
        local, global_ = (copy.deepcopy(each).double().eval() for each in pair)
        for discriminator in (local, global_):
            _refuse_unexportable(discriminator, config.size)
        model = export_discriminators(local, global_, size=config.size, dynamic=config.light)
        difference = check_discriminators(model, local, global_, size=config.size)
        return DiscriminatorGraph(model, difference, architecture(pair))

    return export


def architecture(pair: DiscriminatorPair) -> Mapping[str, Any]:
    """Return the shapes of both discriminators, for the manifest."""
    return {"local": asdict(pair.local.config), "global": asdict(pair.global_.config)}


def _refuse_unexportable(discriminator: Discriminator, size: int) -> None:
    config = discriminator.config
    if not config.cam:
        raise ConfigError(
            "A discriminator needs a CAM to show its attention, got cam = false; export without "
            "discriminators."
        )
    if size < config.smallest_size:
        raise ConfigError(
            f"A discriminator of {config.layers} layers needs pictures of at least "
            f"{config.smallest_size} px, got {size}."
        )


def check_discriminators(model: bytes, local: Discriminator, global_: Discriminator, *, size: int) -> float:
    """Compare exported discriminators with the torch ones in float64; return the largest relative difference.

    Raises:
        ParityError: a logit or a map differs by more than 1e-3 of its largest value (`output_difference`),
            or is not finite.
    """
    session, worst = cpu_session(model), 0.0
    pair: dict[Network, Discriminator] = {"local": local, "global": global_}
    for pixels in picture_batches([(size, size)]):
        found = run(session, pixels)
        for network, discriminator in pair.items():
            output = _outputs(discriminator, pixels, network)
            require_finite(f"{network} discriminator", output, suffix=f"_{network}")
            for name, expected in output.items():
                worst = max(worst, output_difference(name, found[name], expected))
        require_finite("exported discriminators", found)
    if worst > MAX_RELATIVE:
        raise ParityError(
            f"The exported discriminators differ from torch by {worst:.1e}, and nothing was written."
        )
    return worst


def _outputs(
    discriminator: Discriminator, pixels: NDArray[np.uint8], network: Network
) -> dict[str, NDArray[Any]]:
    with torch.inference_mode():
        outputs = outputs_with_parts(discriminator, as_values(pixels), network)
    return {name: value.numpy() for name, value in outputs.items()}
