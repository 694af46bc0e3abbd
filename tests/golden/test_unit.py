"""UNIT computes what the official code does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.golden.baselines_reading import GoldenSet, golden_sets
from training.importers.munit import scales_discriminator_of, unit_generator

pytestmark = [pytest.mark.golden, pytest.mark.parametrize("golden", golden_sets("unit"))]


def official_networks(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the networks by their golden names."""
    generators = {f"gen_{domain}": unit_generator(domain, params["gen"][domain]) for domain in "ab"}
    return generators | {f"dis_{each}": scales_discriminator_of(each, params["dis"][each]) for each in "ab"}


def assert_logits(golden: GoldenSet, network: nn.Module, pictures: Tensor, name: str) -> None:
    """Fail unless the logits of every scale agree with the golden ones."""
    for scale, logit in enumerate(network(pictures)):
        golden.assert_vector(logit, f"{name}.scale{scale}")


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


def test_networks_have_the_golden_parameter_counts(golden: GoldenSet) -> None:
    golden.assert_counts(official_networks(golden.params))
