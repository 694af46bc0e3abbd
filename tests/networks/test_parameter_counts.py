"""The networks have the official codes' parameter counts at the official width."""

from __future__ import annotations

import pytest
import torch

from models.networks.aggan import (
    AgganDiscriminator,
    AgganDiscriminatorConfig,
    AgganGenerator,
    AgganGeneratorConfig,
)
from models.networks.cartoongan import (
    CartoonganDiscriminatorConfig,
    CartoonganGenerator,
    CartoonganGeneratorConfig,
    cartoongan_discriminator,
)
from models.networks.cyclegan import (
    CycleganDiscriminatorConfig,
    CycleganGenerator,
    CycleganGeneratorConfig,
    cyclegan_discriminator,
)
from models.networks.drit.config import DritConfig, Mode, deepest_content_layers, smallest_content_size
from models.networks.drit.discriminators import content_discriminator, image_discriminator
from models.networks.drit.encoders import AttributeEncoder, ContentEncoder
from models.networks.drit.generator import DritGenerator
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


def test_aggan_networks_have_the_official_parameter_counts() -> None:
    with torch.device("meta"):
        generator = AgganGenerator(AgganGeneratorConfig())
        assert parameter_count(generator.whole_picture) == 2_855_811
        assert parameter_count(generator.attention) == 104_001
        assert parameter_count(AgganDiscriminator(AgganDiscriminatorConfig())) == 2_766_657


@pytest.mark.parametrize(
    ("affine", "generator", "discriminator"),
    [(True, 11_129_667, 1_129_665), (False, 11_120_195, 1_128_385)],
)
def test_cartoongan_networks_have_the_official_parameter_counts(
    affine: bool, generator: int, discriminator: int
) -> None:
    with torch.device("meta"):
        generator_config = CartoonganGeneratorConfig(affine_instance_norm=affine)
        assert parameter_count(CartoonganGenerator(generator_config)) == generator
        judge = cartoongan_discriminator(CartoonganDiscriminatorConfig(affine_instance_norm=affine))
        assert parameter_count(judge) == discriminator


@pytest.mark.parametrize(
    ("mode", "attribute", "generator"),
    [("concat", 2_688_160, 9_564_710), ("feature-wise", 5_529_872, 17_146_374)],
)
def test_drit_networks_have_the_official_parameter_counts(mode: Mode, attribute: int, generator: int) -> None:
    config = DritConfig(mode=mode)
    with torch.device("meta"):
        assert parameter_count(ContentEncoder(config, "AB")) == 9_018_112
        assert parameter_count(AttributeEncoder(config, "AB")) == attribute
        assert parameter_count(DritGenerator(config, "AB")) == generator
        assert parameter_count(image_discriminator(config)) == 8_271_171
        assert parameter_count(content_discriminator(config)) == 10_683_649


@pytest.mark.parametrize(("layers", "smallest"), [(3, 212), (2, 100), (1, 44)])
def test_drit_content_discriminator_needs_the_stated_size(layers: int, smallest: int) -> None:
    assert smallest_content_size(layers) == smallest
    assert deepest_content_layers(smallest) == layers
    discriminator = content_discriminator(DritConfig(channels=1, content_layers=layers))
    assert discriminator(torch.zeros(1, 4, smallest // 4, smallest // 4)).shape == (1, 1, 1, 1)
    with pytest.raises(RuntimeError):
        discriminator(torch.zeros(1, 4, smallest // 4 - 1, smallest // 4 - 1))
