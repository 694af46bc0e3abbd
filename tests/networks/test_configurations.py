"""The networks of every configuration: ablations, sizes, numbers of parameters."""

import pytest
import torch
from torch import nn

from models.networks.config import DiscriminatorConfig, GeneratorConfig, Normalization
from models.networks.discriminator import Discriminator
from models.networks.generator import Generator
from models.networks.normalization import LIN, AdaLIN


def small(**changes: object) -> GeneratorConfig:
    return GeneratorConfig(**{"size": 16, "channels": 8, "blocks": 1, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("light", [True, False])
@pytest.mark.parametrize("cam", [True, False])
@pytest.mark.parametrize("normalization", ["adalin", "in", "ln", "adain", "gn"])
def test_every_ablation_translates_and_has_gradients(
    normalization: Normalization, cam: bool, light: bool
) -> None:
    generator = Generator(small(normalization=normalization, cam=cam, light=light))
    image, cam_logit, attention = generator(torch.randn(2, 3, 16, 16))
    assert image.shape == (2, 3, 16, 16)
    assert image.abs().max() <= 1
    assert (cam_logit is None) == (attention is None) == (not cam)
    if cam:
        assert cam_logit.shape == (2, 2)
        assert attention.shape == (2, 4, 4)
    image.square().mean().backward()
    unused = {name for name, p in generator.named_parameters() if p.grad is None}
    assert all(name in {"cam.gap.weight", "cam.gmp.weight"} for name in unused)


@pytest.mark.parametrize(
    ("normalization", "decoder_rho", "upsampling_rho"),
    [("in", 1.0, 1.0), ("ln", 0.0, 0.0), ("adain", 1.0, 1.0)],
)
def test_ablation_fixes_rho(normalization: Normalization, decoder_rho: float, upsampling_rho: float) -> None:
    generator = Generator(small(normalization=normalization))
    decoder = [m for m in generator.decoder.modules() if isinstance(m, AdaLIN | LIN)]
    upsampling = [m for m in generator.upsampling.modules() if isinstance(m, LIN)]
    assert {float(rho) for m in decoder for rho in m.rho} == {decoder_rho}
    assert {float(rho) for m in upsampling for rho in m.rho} == {upsampling_rho}
    assert not any("rho" in name for name, _ in generator.named_parameters())
    assert (generator.style is None) == (normalization != "adain")


def test_group_normalisation_has_32_groups_and_no_gamma_and_beta_layers() -> None:
    generator = Generator(small(normalization="gn", channels=16))
    groups = [m.num_groups for m in generator.decoder.modules() if isinstance(m, nn.GroupNorm)]
    assert groups == [32, 32]
    assert generator.style is None


def test_group_normalisation_works_with_any_number_of_channels() -> None:
    generator = Generator(small(normalization="gn", channels=10))
    groups = [m.num_groups for m in generator.modules() if isinstance(m, nn.GroupNorm)]
    assert groups == [8, 8, 4, 2]
    assert generator(torch.randn(1, 3, 16, 16)).image.shape == (1, 3, 16, 16)


def test_light_generator_takes_any_size_divisible_by_four() -> None:
    generator = Generator(small(light=True))
    assert generator(torch.randn(1, 3, 24, 36)).image.shape == (1, 3, 24, 36)


def test_raw_cam_weight_changes_the_attention_but_not_the_logit() -> None:
    outputs = []
    for raw in (True, False):
        torch.manual_seed(0)
        discriminator = Discriminator(DiscriminatorConfig(channels=4, layers=4, raw_cam_weight=raw)).eval()
        outputs.append(discriminator(torch.ones(1, 3, 32, 32).cumsum(2) / 32))
    assert torch.equal(outputs[0].cam_logit, outputs[1].cam_logit)
    assert not torch.allclose(outputs[0].attention, outputs[1].attention)


def test_discriminator_without_a_cam_returns_only_the_logit() -> None:
    logit, cam_logit, attention = Discriminator(DiscriminatorConfig(channels=4, layers=4, cam=False))(
        torch.randn(2, 3, 32, 32)
    )
    assert logit.shape[:2] == (2, 1)
    assert cam_logit is None
    assert attention is None


@pytest.mark.parametrize("layers", [3, 5, 7])
def test_discriminator_works_at_its_smallest_size_and_not_below(layers: int) -> None:
    config = DiscriminatorConfig(channels=1, layers=layers)
    discriminator, size = Discriminator(config).eval(), config.smallest_size
    assert discriminator(torch.zeros(1, 3, size, size)).logit.shape == (1, 1, 1, 1)
    with pytest.raises(RuntimeError):
        discriminator(torch.zeros(1, 3, size - 1, size - 1))


@pytest.mark.parametrize(("light", "millions"), [(False, 278.96), (True, 10.59)], ids=["full", "light"])
def test_generators_of_the_paper_have_the_published_number_of_parameters(
    light: bool, millions: float
) -> None:
    with torch.device("meta"):
        generator = Generator(GeneratorConfig(light=light))
    assert round(sum(p.numel() for p in generator.parameters()) / 1e6, 2) == millions


@pytest.mark.parametrize(("layers", "millions"), [(7, 53.1), (5, 3.29)], ids=["global", "local"])
def test_discriminators_of_the_paper_have_the_published_number_of_parameters(
    layers: int, millions: float
) -> None:
    discriminator = Discriminator(DiscriminatorConfig(layers=layers))
    count = sum(p.numel() for p in discriminator.parameters()) / 1e6
    assert count == pytest.approx(millions, rel=0.002)


def test_impossible_size_is_refused_with_what_was_expected() -> None:
    with pytest.raises(ValueError, match="size must be a multiple of 4 and at least 8, got 130"):
        GeneratorConfig(size=130)
