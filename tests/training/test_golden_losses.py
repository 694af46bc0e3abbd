"""Loss terms and gradients equal those of the official code."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.golden.reading import RELATIVE_TOLERANCE, VARIANTS, config, losses, params, vectors
from training.importers.pytorch import read_official
from training.methods.learner import Terms
from training.methods.ugatit.config import UgatitConfig
from training.methods.ugatit.method import Ugatit

pytestmark = pytest.mark.golden

GRADIENT_TOLERANCE = 1e-3


def official(variant: str) -> tuple[Ugatit, dict[str, Tensor]]:
    """Return the method with the golden weights in evaluation mode, and the golden pictures."""
    networks = read_official(params(variant), size=config(variant)["img_size"])
    method = Ugatit(
        UgatitConfig(
            generator=networks.generators["genA2B"].config,
            global_discriminator=networks.discriminators["disGA"].config,
            local_discriminator=networks.discriminators["disLA"].config,
        )
    )
    for name, network in {**networks.generators, **networks.discriminators}.items():
        method.networks[name].load_state_dict(network.state_dict())
    for network in method.networks.values():
        network.eval()
    golden = vectors(variant)
    return method, {domain: torch.from_numpy(golden[f"real_{domain}"]) for domain in "AB"}


def objective(method: Ugatit, real: dict[str, Tensor]) -> tuple[Terms, Terms]:
    translations, identities = method.translate_both(real)
    fakes = {domain: translations[domain].image.detach() for domain in "AB"}
    discriminator_terms = method.discriminator_objective(real, fakes)
    return discriminator_terms, method.generator_objective(
        real, translations=translations, identities=identities
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_loss_term_equals_the_golden_one(variant: str) -> None:
    method, real = official(variant)
    discriminator_terms, generator_terms = objective(method, real)
    for name, value in {**discriminator_terms, **generator_terms}.items():
        assert float(value.detach()) == pytest.approx(losses(variant)[name], rel=RELATIVE_TOLERANCE), name
    named = {name for name in losses(variant) if "total" not in name and "norm" not in name}
    assert discriminator_terms.keys() | generator_terms.keys() == named


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_weighted_sum_and_its_gradients_equal_the_golden_ones(variant: str) -> None:
    method, real = official(variant)
    _, generator_terms = objective(method, real)
    golden = losses(variant)
    total = method.weighted_sum(generator_terms)
    assert float(total.detach()) == pytest.approx(
        golden["G_total_A"] + golden["G_total_B"], rel=RELATIVE_TOLERANCE
    )
    total.backward()
    for name, generator in method.generators.items():
        gradients: list[Any] = [p.grad for p in generator.parameters() if p.grad is not None]
        norm = torch.linalg.vector_norm(torch.cat([gradient.flatten() for gradient in gradients]))
        assert float(norm) == pytest.approx(golden[f"grad_norm.{name}"], rel=GRADIENT_TOLERANCE)
