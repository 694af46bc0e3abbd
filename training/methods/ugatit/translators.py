"""The translators of U-GAT-IT: one generator for each direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from torch import nn

from models.bundle.declarations import Logits, Network, declare_maps
from models.bundle.manifest import ImageSize
from models.networks.discriminator import Discriminator
from models.networks.generator import Generator
from training.export.translator import Translator
from training.methods.ugatit.discriminator_parity import DiscriminatorPair, discriminator_exporter
from training.methods.ugatit.generator_graph import write_generator
from training.methods.ugatit.generator_outputs import generator_outputs, heat_map_judge

NAME: Final = "ugatit"
TITLE: Final = "U-GAT-IT (Kim et al., ICLR 2020)"
DIRECTIONS: Final = (("A", "B"), ("B", "A"))
"""The source and the target domain of each direction."""


_NETWORKS: Final[tuple[Network, ...]] = ("local", "global")


def translators(networks: Mapping[str, nn.Module]) -> list[Translator]:
    """Return the translators whose generator is among these networks, such as `genA2B`."""
    return [
        translator(
            generator, source=source, target=target, discriminators=discriminator_pair(networks, target)
        )
        for source, target in DIRECTIONS
        if isinstance(generator := networks.get(f"gen{source}2{target}"), Generator)
    ]


def discriminator_pair(networks: Mapping[str, nn.Module], domain: str) -> DiscriminatorPair | None:
    """Return the discriminators of a domain, such as `disLA` and `disGA`; None unless both are there."""
    local, global_ = (networks.get(f"dis{scale}{domain}") for scale in "LG")
    if isinstance(local, Discriminator) and isinstance(global_, Discriminator):
        return DiscriminatorPair(local, global_)
    return None


def translator(
    generator: Generator,
    *,
    source: str = "A",
    target: str = "B",
    discriminators: DiscriminatorPair | None = None,
) -> Translator:
    """Return a generator as the translator of one direction."""
    config = generator.config
    variant = "light" if config.light else "full"
    with_cam = generator.cam is not None
    judges = () if discriminators is None else zip(_NETWORKS, discriminators, strict=True)
    shown = {network: each for network, each in judges if each.cam is not None}
    return Translator(
        method=NAME,
        title=TITLE,
        source=source,
        target=target,
        network=generator,
        size=ImageSize(height=config.size, width=config.size, fixed=not config.light),
        architecture=asdict(config),
        shape=f"{variant} generator, {config.channels} base channels, {config.blocks} residual blocks",
        write_graph=write_generator,
        outputs=generator_outputs,
        maps=declare_maps(["generator"]) if with_cam else (),
        logits=[Logits(name="cam_logit")] if with_cam else (),
        judge=heat_map_judge(shown) if shown else None,
        judged_maps=declare_maps(shown),
        export_discriminators=discriminators and discriminator_exporter(discriminators, config),
    )
