"""AGGAN's networks with the golden weights, for tests."""

from __future__ import annotations

from typing import NamedTuple

import torch

from models.networks.aggan import (
    AgganDiscriminator,
    AgganDiscriminatorConfig,
    AgganGenerator,
    AgganGeneratorConfig,
)
from tests.golden.baselines_reading import GoldenSet
from training.importers.aggan_variables import AgganNetwork, aggan_variables


class AgganNetworks(NamedTuple):
    """All six official networks, two of them in each generator."""

    generators: dict[str, AgganGenerator]
    """By the domain, `a` or `b`, of their input."""
    discriminators: dict[str, AgganDiscriminator]
    """By the domain whose pictures they judge."""

    @property
    def official(self) -> dict[str, AgganNetwork]:
        """The networks by official name."""
        found: dict[str, AgganNetwork] = {}
        for domain, generator in self.generators.items():
            found[f"g_{domain.upper()}"] = generator.whole_picture
            found[f"g_{domain.upper()}_ae"] = generator.attention
        return found | {f"d_{domain.upper()}": each for domain, each in self.discriminators.items()}


def aggan_networks(golden: GoldenSet) -> AgganNetworks:
    """Return the networks of a set."""
    generator = AgganGeneratorConfig(channels=golden.config["ngf"])
    discriminator = AgganDiscriminatorConfig(channels=golden.config["ndf"])
    networks = AgganNetworks(
        {domain: AgganGenerator(generator) for domain in "ab"},
        {domain: AgganDiscriminator(discriminator) for domain in "ab"},
    )
    params = golden.params
    with torch.no_grad():
        for name, network in networks.official.items():
            for variable, taken in aggan_variables(f"Model/{name}", network).items():
                assert tuple(params[name][variable].shape) == taken.shape
                taken.fill(params[name][variable])
    return networks
