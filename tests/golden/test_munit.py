"""MUNIT computes what the official code does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.golden.baselines_reading import GoldenSet, golden_sets
from tests.golden.test_unit import assert_logits
from training.importers.munit import munit_generator, scales_discriminator_of

pytestmark = [pytest.mark.golden, pytest.mark.parametrize("golden", golden_sets("munit"))]


def official_networks(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the networks by their golden names."""
    generators = {f"gen_{domain}": munit_generator(domain, params["gen"][domain]) for domain in "ab"}
    return generators | {f"dis_{each}": scales_discriminator_of(each, params["dis"][each]) for each in "ab"}


def style(golden: GoldenSet, name: str) -> Tensor:
    """Return a golden style code `[B, S]`."""
    return golden.tensor(name).flatten(1)


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


def test_networks_have_the_golden_parameter_counts(golden: GoldenSet) -> None:
    golden.assert_counts(official_networks(golden.params))
