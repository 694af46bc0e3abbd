"""Our training step of CycleGAN has the losses, gradients and updates of the official one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from models.networks.cyclegan import CycleganDiscriminatorConfig
from tests.golden.baselines_reading import (
    GoldenSet,
    golden_sections,
    golden_sets,
    gradient_norm,
    weight_change,
)
from training.importers.cyclegan import cyclegan_discriminator_of, cyclegan_generator
from training.methods.cyclegan.config import CycleganConfig, CycleganWeights
from training.methods.cyclegan.method import Cyclegan
from training.methods.cyclegan.official_networks import OURS
from training.methods.image_pool import ImagePool
from training.methods.learner import Terms
from training.methods.progress import TYPICAL

pytestmark = pytest.mark.golden


def method_of(golden: GoldenSet) -> Cyclegan:
    """Return the method with the golden weights."""
    params, config = golden.params, golden.config
    networks: dict[str, Any] = {
        name: (cyclegan_generator if name.startswith("G") else cyclegan_discriminator_of)(name, params[name])
        for name in OURS
    }
    method = Cyclegan(
        CycleganConfig(
            generator=networks["G_A"].config,
            discriminator=CycleganDiscriminatorConfig(channels=config["ndf"], layers=config["n_layers_D"]),
            weights=CycleganWeights(
                discriminator=config["d_loss_factor"],
                cycle_a=config["lambda_A"],
                cycle_b=config["lambda_B"],
                identity=config["lambda_identity"],
            ),
            pool=config["pool_size"],
            learning_rate=config["lr"],
            betas=(config["beta1"], config["beta2"]),
        ),
        size=config["size"][0],
    )
    for name, network in networks.items():
        method.networks[OURS[name]].load_state_dict(network.state_dict())
    return method


def pictures(golden: GoldenSet) -> dict[str, Tensor]:
    return {domain: golden.tensor(f"real_{domain}") for domain in "AB"}


def official_terms(method: Cyclegan, terms: Terms) -> dict[str, Tensor | float]:
    """Return a step's terms, total and gradient norms by official name."""
    judged = {"A": "B", "B": "A"}  # D_A judges domain B
    found: dict[str, Tensor | float] = {}
    for name, domain in judged.items():
        found |= {
            f"G_adv_{name}": terms[f"G_adv_{domain}"],
            f"identity_{name}": terms[f"G_identity_{domain}"],
            f"cycle_{name}": terms[f"G_cycle_{name}"],
            f"D_{name}_real": terms[f"D_real_{domain}"],
            f"D_{name}_fake": terms[f"D_fake_{domain}"],
        }
        parts = {key: terms[f"D_{key}_{domain}"] for key in ("real", "fake")}
        found[f"D_{name}"] = method.weighted_sum({f"D_{key}_{domain}": each for key, each in parts.items()})
    generators = {name: term for name, term in terms.items() if name.startswith("G_")}
    found["G_total"] = method.weighted_sum(generators)
    norms = {f"grad_norm.{name}": gradient_norm(method.networks[ours]) for name, ours in OURS.items()}
    return {**found, **norms}


@pytest.mark.parametrize(("golden", "section"), golden_sections("cyclegan"))
def test_steps_have_the_golden_losses_and_gradients(golden: GoldenSet, section: str) -> None:
    method, batch = method_of(golden), pictures(golden)
    steps = {"given": 1, "step1": 1, "step2": 2, "after_step2": 2}[section]
    before = {
        name: {key: value.clone() for key, value in method.networks[ours].state_dict().items()}
        for name, ours in OURS.items()
    }
    for _ in range(steps):
        terms = method.step(batch, TYPICAL)
    if section == "after_step2":
        golden.assert_section(
            section,
            {
                f"weight_change_norm.{name}": weight_change(method.networks[ours], before[name])
                for name, ours in OURS.items()
            },
        )
    else:
        golden.assert_section(section, official_terms(method, terms))


@pytest.mark.parametrize("golden", golden_sets("cyclegan"))
def test_learning_rate_has_the_golden_factors(golden: GoldenSet) -> None:
    schedule = golden.config["schedule"]
    epochs = schedule["n_epochs"] + schedule["n_epochs_decay"]
    config = CycleganConfig(epochs=epochs, decay_from=schedule["n_epochs"] / epochs)
    for calls, factor in golden.config["lr_factor_by_scheduler_epoch"].items():
        assert config.epoch_factor(int(calls)) == pytest.approx(factor)


@pytest.mark.parametrize("golden", golden_sets("cyclegan"))
@pytest.mark.parametrize("size", [3, 4])
def test_pool_returns_the_golden_entries(golden: GoldenSet, size: int) -> None:
    vectors = golden.vectors
    slots = [
        int(slot) if draw > 0.5 else None
        for draw, slot in zip(vectors[f"pool{size}.u"], vectors[f"pool{size}.id"], strict=True)
        if draw >= 0
    ]
    following = iter(slots)
    pool = ImagePool(size, choose=lambda _: next(following))
    for given, expected in zip(vectors[f"pool{size}.in"], vectors[f"pool{size}.out"], strict=True):
        (found,) = pool.query(torch.from_numpy(given))
        assert torch.equal(found, torch.from_numpy(expected))
