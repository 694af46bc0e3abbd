"""UNIT computes what the official code does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.networks.unit import ScalesConfig
from tests.golden.baselines_reading import GoldenSet, golden_sections, golden_sets, weight_change
from tests.golden.steps import draw_in_turn, recorded_step, total, without_rate
from training.importers.munit import scales_discriminator_of, unit_generator
from training.methods.base import NetworkMethod
from training.methods.progress import Progress
from training.methods.unit.config import UnitConfig, UnitWeights
from training.methods.unit.method import Unit

pytestmark = pytest.mark.golden

EACH_SET = pytest.mark.parametrize("golden", golden_sets("unit"))


def official_networks(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the networks by their golden names."""
    generators = {f"gen_{domain}": unit_generator(domain, params["gen"][domain]) for domain in "ab"}
    return generators | {f"dis_{each}": scales_discriminator_of(each, params["dis"][each]) for each in "ab"}


def assert_logits(golden: GoldenSet, network: nn.Module, pictures: Tensor, name: str) -> None:
    """Fail unless the logits of every scale agree with the golden ones."""
    for scale, logit in enumerate(network(pictures)):
        golden.assert_vector(logit, f"{name}.scale{scale}")


@EACH_SET
def test_networks_return_the_golden_outputs(golden: GoldenSet) -> None:
    networks = official_networks(golden.params)
    gen_a, gen_b = networks["gen_a"], networks["gen_b"]
    x_a, x_b = golden.tensor("x_a"), golden.tensor("x_b")
    with torch.inference_mode():
        latent_a, latent_b = gen_a.encoder(x_a), gen_b.encoder(x_b)
        x_ab, x_ba = gen_b.decoder(latent_a), gen_a.decoder(latent_b)
        golden.assert_vector(latent_a, "latent_a")
        golden.assert_vector(latent_b, "latent_b")
        golden.assert_vector(x_ab, "x_ab")
        golden.assert_vector(x_ba, "x_ba")
        golden.assert_vector(gen_a(x_a), "x_a_recon")
        golden.assert_vector(gen_b(x_b), "x_b_recon")
        golden.assert_vector(gen_a.decoder(gen_b.encoder(x_ab)), "x_aba")
        golden.assert_vector(gen_b.decoder(gen_a.encoder(x_ba)), "x_bab")
        assert_logits(golden, networks["dis_a"], x_a, "dis_a.real")
        assert_logits(golden, networks["dis_a"], x_ba, "dis_a.fake")
        assert_logits(golden, networks["dis_b"], x_b, "dis_b.real")
        assert_logits(golden, networks["dis_b"], x_ab, "dis_b.fake")


@EACH_SET
def test_networks_have_the_golden_parameter_counts(golden: GoldenSet) -> None:
    golden.assert_counts(official_networks(golden.params))


DRAWS = ("D.n_a", "D.n_b", "G.n_a", "G.n_b", "G.n_b_recon", "G.n_a_recon")
NAMES = {
    "D_adv": "D",
    "G_adv": "G_adv",
    "G_recon": "recon_x",
    "G_kl": "kl",
    "G_cycle": "cycle_x",
}


def official_method(golden: GoldenSet) -> Unit:
    """Return the method with the golden weights, sizes and settings."""
    networks, config = official_networks(golden.params), golden.config
    given = config["weights"]
    method = Unit(
        UnitConfig(
            generator=networks["gen_a"].config,
            discriminator=ScalesConfig(
                channels=config["dis"]["dim"],
                layers=config["dis"]["n_layer"],
                scales=config["dis"]["num_scales"],
            ),
            weights=UnitWeights(
                adversarial=given["gan_w"],
                reconstruction=given["recon_x_w"],
                kl=given["recon_kl_w"],
                cycle=given["recon_x_cyc_w"],
                cycle_kl=given["recon_kl_cyc_w"],
            ),
            learning_rate=config["lr"],
            betas=(config["beta1"], config["beta2"]),
            weight_decay=config["weight_decay"],
        ),
        size=config["size"][0],
    )
    load(method, networks)
    return method


def load(method: NetworkMethod, networks: Mapping[str, nn.Module]) -> None:
    """Give a method the weights of golden networks."""
    for name, network in networks.items():
        method.networks[ours(name)].load_state_dict(network.state_dict())


def ours(name: str) -> str:
    """Return our name of a golden network: `gen_A` of `gen_a`."""
    return name[:-1] + name[-1].upper()


def golden_names(
    method: NetworkMethod, found: Mapping[str, float], names: Mapping[str, str]
) -> dict[str, float]:
    """Return terms, totals and gradient norms under their golden names; families that have none are kept."""
    result = {"D_total": total(method, found, "D_"), "G_total": total(method, found, "G_")}
    for name, value in found.items():
        family, _, domain = name.rpartition("_")
        result[f"{names.get(family, family)}_{domain.lower()}"] = value
    return result


def step(method: Unit, golden: GoldenSet, section: str) -> dict[str, float]:
    """Run one step with the golden draws of a section."""
    draw_in_turn(method, [golden.tensor(f"{section}.{draw}") for draw in DRAWS])
    found = recorded_step(method, {"A": golden.tensor("x_a"), "B": golden.tensor("x_b")})
    named = golden_names(method, found, NAMES)
    named["kl_cycle_aba"], named["kl_cycle_bab"] = (named.pop(f"G_cycle_kl_{domain}") for domain in "ab")
    return named


@pytest.mark.parametrize(("golden", "section"), golden_sections("unit"))
def test_losses_equal_the_golden_ones(golden: GoldenSet, section: str) -> None:
    method = official_method(golden)
    if section == "given":
        without_rate(method)
        golden.assert_section(section, step(method, golden, section))
        return
    found = step(method, golden, "step1")
    if section != "step1":
        found = step(method, golden, "step2")
    if section == "after_step2":
        before = official_networks(golden.params)
        found = {
            f"weight_change_norm.{name}": weight_change(method.networks[ours(name)], network.state_dict())
            for name, network in before.items()
        }
    golden.assert_section(section, found)


@EACH_SET
def test_learning_rate_halves_as_the_official_one(golden: GoldenSet) -> None:
    config = UnitConfig()
    for epoch, factor in golden.config["lr_factor_by_scheduler_epoch"].items():
        # The scheduler's epoch is the iteration plus one: the number of our step, from 1.
        progress = Progress(step=int(epoch), total=1_000_000, epoch_steps=1)
        assert config.learning_rate_at(progress) == pytest.approx(config.learning_rate * factor)
