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
from models.networks.munit import MunitGenerator, MunitGeneratorConfig
from models.networks.unit import ScalesConfig, UnitGenerator, UnitGeneratorConfig, scales_discriminator
from tests.golden.baselines_reading import parameter_count


@pytest.mark.parametrize(("blocks", "expected"), [(9, 11_378_179), (6, 7_837_699)])
def test_cyclegan_generator_has_the_official_parameter_count(blocks: int, expected: int) -> None:
    with torch.device("meta"):
        assert parameter_count(CycleganGenerator(CycleganGeneratorConfig(blocks=blocks))) == expected


def test_cyclegan_discriminator_has_the_official_parameter_count() -> None:
    with torch.device("meta"):
        assert parameter_count(cyclegan_discriminator(CycleganDiscriminatorConfig())) == 2_764_737


def test_unit_and_munit_have_the_official_parameter_counts() -> None:
    with torch.device("meta"):
        unit, munit = UnitGenerator(UnitGeneratorConfig()), MunitGenerator(MunitGeneratorConfig())
        assert parameter_count(unit.encoder) == 5_385_856
        assert parameter_count(unit) == 11_140_483
        assert parameter_count(munit.style_encoder) == 2_764_936
        assert parameter_count(munit.mlp) == 1_120_768
        assert parameter_count(munit) == 15_026_187
        assert parameter_count(scales_discriminator(ScalesConfig())) == 8_271_171
