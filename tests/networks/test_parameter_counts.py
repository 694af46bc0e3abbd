"""The networks have the official codes' parameter counts at the official width."""

from __future__ import annotations

import pytest
import torch

from models.networks.cyclegan import (
    CycleganDiscriminatorConfig,
    CycleganGenerator,
    CycleganGeneratorConfig,
    cyclegan_discriminator,
)
from tests.golden.baselines_reading import parameter_count


@pytest.mark.parametrize(("blocks", "expected"), [(9, 11_378_179), (6, 7_837_699)])
def test_cyclegan_generator_has_the_official_parameter_count(blocks: int, expected: int) -> None:
    with torch.device("meta"):
        assert parameter_count(CycleganGenerator(CycleganGeneratorConfig(blocks=blocks))) == expected


def test_cyclegan_discriminator_has_the_official_parameter_count() -> None:
    with torch.device("meta"):
        assert parameter_count(cyclegan_discriminator(CycleganDiscriminatorConfig())) == 2_764_737
