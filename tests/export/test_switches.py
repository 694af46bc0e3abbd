"""Every option of the networks is exported exactly."""

from typing import Any

import pytest
import torch

from models.networks.config import DiscriminatorConfig, GeneratorConfig
from models.networks.discriminator import Discriminator
from models.networks.generator import Generator
from training.export.parity import ParityError, check_translator
from training.export.translator import export_translator
from training.methods.ugatit.discriminator_graph import export_discriminators
from training.methods.ugatit.discriminator_parity import check_discriminators
from training.methods.ugatit.translators import translator

GENERATOR = {
    "shared cam": {"shared_cam": True},
    "biases": {"biases": True},
    "affine": {"affine_instance_norm": True},
    "smooth rho": {"smooth_rho": True},
    "style width": {"style_width": "blocks", "blocks": 2},
}
WITH_BIASES = {"biases": True, "affine_instance_norm": True, "unbiased_variance": False}
ALL = {**WITH_BIASES, "shared_cam": True, "smooth_rho": True, "style_width": "blocks"}
DISCRIMINATOR = {
    "shared cam": {"shared_cam": True},
    "normalised cam weight": {"raw_cam_weight": False},
    "last bias": {"last_bias": True},
    "padding": {"uneven_padding": True},
    "all": {"shared_cam": True, "raw_cam_weight": False, "last_bias": True, "uneven_padding": True},
}


def with_random_parameters(network: Any) -> Any:
    """Randomise biases, shifts, scales and rho, so that a missing one is found."""
    random = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("rho"):
                parameter.uniform_(0, 1, generator=random)
            elif parameter.dim() == 1:
                parameter.add_(torch.randn(parameter.shape, generator=random) / 4)
    return network.double().eval()


def generator(**changes: object) -> Generator:
    torch.manual_seed(5)
    sizes = {"size": 16, "channels": 8, "blocks": 1, "light": True}
    network: Generator = with_random_parameters(Generator(GeneratorConfig(**{**sizes, **changes})))  # type: ignore[arg-type]
    return network


def discriminators(**changes: object) -> list[Discriminator]:
    torch.manual_seed(6)
    return [
        with_random_parameters(Discriminator(DiscriminatorConfig(channels=4, layers=layers, **changes)))  # type: ignore[arg-type]
        for layers in (3, 4)
    ]


@pytest.mark.parametrize("name", GENERATOR)
def test_every_option_of_the_generator_is_exported_exactly(name: str) -> None:
    network = generator(**GENERATOR[name])
    check_translator(export_translator(translator(network)), translator(network))


@pytest.mark.parametrize("light", [True, False], ids=["light", "full"])
def test_all_options_of_the_generator_together_are_exported_exactly(light: bool) -> None:
    network = generator(**ALL, light=light)
    check_translator(export_translator(translator(network)), translator(network))


@pytest.mark.parametrize("normalization", ["in", "ln", "adain", "gn"])
def test_every_ablation_with_biases_is_exported_exactly(normalization: str) -> None:
    network = generator(**WITH_BIASES, normalization=normalization)
    check_translator(export_translator(translator(network)), translator(network))


@pytest.mark.parametrize("name", DISCRIMINATOR)
def test_every_option_of_the_discriminators_is_exported_exactly(name: str) -> None:
    local, global_ = discriminators(**DISCRIMINATOR[name])
    model = export_discriminators(local, global_, size=32, dynamic=True)
    assert check_discriminators(model, local, global_, size=32) < 1e-4


def test_graph_with_another_bias_is_refused() -> None:
    network = generator(**ALL)
    model = export_translator(translator(network))
    with torch.no_grad():
        network.to_image[1].bias.zero_()
    with pytest.raises(ParityError):
        check_translator(model, translator(network))
