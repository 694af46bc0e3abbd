"""MUNIT computes what the official code does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from models.networks.unit import ScalesConfig
from tests.golden.baselines_reading import GoldenSet, golden_sections, golden_sets, weight_change
from tests.golden.steps import draw_in_turn, recorded_step, without_rate
from tests.golden.test_unit import assert_logits, golden_names, load, ours
from training.importers.munit import munit_generator, scales_discriminator_of
from training.methods.munit.config import MunitConfig, MunitWeights
from training.methods.munit.method import Munit

pytestmark = pytest.mark.golden

EACH_SET = pytest.mark.parametrize("golden", golden_sets("munit"))


def official_networks(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the networks by their golden names."""
    generators = {f"gen_{domain}": munit_generator(domain, params["gen"][domain]) for domain in "ab"}
    return generators | {f"dis_{each}": scales_discriminator_of(each, params["dis"][each]) for each in "ab"}


def style(golden: GoldenSet, name: str) -> Tensor:
    """Return a golden style code `[B, S]`."""
    return golden.tensor(name).flatten(1)


@EACH_SET
def test_networks_return_the_golden_outputs(golden: GoldenSet) -> None:
    networks = official_networks(golden.params)
    gen_a, gen_b = networks["gen_a"], networks["gen_b"]
    x_a, x_b = golden.tensor("x_a"), golden.tensor("x_b")
    s_a, s_b = style(golden, "style.a"), style(golden, "style.b")
    with torch.inference_mode():
        codes_a, codes_b = gen_a.encode(x_a), gen_b.encode(x_b)
        x_ab, x_ba = gen_b.decode(codes_a.content, s_b), gen_a.decode(codes_b.content, s_a)
        golden.assert_vector(codes_a.content, "content_a")
        golden.assert_vector(codes_b.content, "content_b")
        golden.assert_vector(codes_a.style[..., None, None], "style_enc_a")
        golden.assert_vector(codes_b.style[..., None, None], "style_enc_b")
        golden.assert_vector(gen_a.mlp(s_a), "adain_a")
        golden.assert_vector(gen_b.mlp(s_b), "adain_b")
        golden.assert_vector(x_ab, "x_ab")
        golden.assert_vector(x_ba, "x_ba")
        golden.assert_vector(gen_b.decode(codes_a.content, codes_b.style), "x_ab_ref")
        golden.assert_vector(gen_a.decode(codes_b.content, codes_a.style), "x_ba_ref")
        golden.assert_vector(gen_a(x_a), "x_a_recon")
        golden.assert_vector(gen_b(x_b), "x_b_recon")
        golden.assert_vector(gen_a.decode(gen_b.encode(x_ab).content, codes_a.style), "x_aba")
        golden.assert_vector(gen_b.decode(gen_a.encode(x_ba).content, codes_b.style), "x_bab")
        assert_logits(golden, networks["dis_a"], x_a, "dis_a.real")
        assert_logits(golden, networks["dis_a"], x_ba, "dis_a.fake")
        assert_logits(golden, networks["dis_b"], x_b, "dis_b.real")
        assert_logits(golden, networks["dis_b"], x_ab, "dis_b.fake")


@EACH_SET
def test_networks_have_the_golden_parameter_counts(golden: GoldenSet) -> None:
    golden.assert_counts(official_networks(golden.params))


DRAWS = ("D.s_a", "D.s_b", "G.s_a", "G.s_b")
NAMES = {
    "D_adv": "D",
    "G_recon": "recon_x",
    "G_style": "recon_s",
    "G_content": "recon_c",
    "G_cycle": "cycle_x",
}


def official_method(golden: GoldenSet) -> Munit:
    """Return the method with the golden weights, sizes and settings."""
    networks, config = official_networks(golden.params), golden.config
    given = config["weights"]
    method = Munit(
        MunitConfig(
            generator=networks["gen_a"].config,
            discriminator=ScalesConfig(
                channels=config["dis"]["dim"],
                layers=config["dis"]["n_layer"],
                scales=config["dis"]["num_scales"],
            ),
            weights=MunitWeights(
                adversarial=given["gan_w"],
                reconstruction=given["recon_x_w"],
                style=given["recon_s_w"],
                content=given["recon_c_w"],
                cycle=given["recon_x_cyc_w"],
            ),
            learning_rate=config["lr"],
            betas=(config["beta1"], config["beta2"]),
            weight_decay=config["weight_decay"],
        ),
        size=config["size"][0],
    )
    load(method, networks)
    return method


def step(method: Munit, golden: GoldenSet, section: str) -> dict[str, float]:
    """Run one step with the golden draws of a section."""
    draw_in_turn(method, [style(golden, f"{section}.{draw}") for draw in DRAWS])
    found = recorded_step(method, {"A": golden.tensor("x_a"), "B": golden.tensor("x_b")})
    return golden_names(method, found, NAMES)


@pytest.mark.parametrize(("golden", "section"), golden_sections("munit"))
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
