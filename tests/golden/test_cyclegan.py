"""Our networks of CycleGAN compute the outputs of the official ones."""

from __future__ import annotations

import pytest
import torch

from tests.golden.baselines_reading import GoldenSet, golden_sets
from training.importers.cyclegan import cyclegan_discriminator_of, cyclegan_generator

pytestmark = [pytest.mark.golden, pytest.mark.parametrize("golden", golden_sets("cyclegan"))]


def test_networks_return_the_golden_outputs(golden: GoldenSet) -> None:
    params = golden.params
    to_B, to_A = (cyclegan_generator(name, params[name]) for name in ("G_A", "G_B"))
    real_A, real_B = golden.tensor("real_A"), golden.tensor("real_B")
    with torch.inference_mode():
        fake_B, fake_A = to_B(real_A).image, to_A(real_B).image
        golden.assert_vector(fake_B, "fake_B")
        golden.assert_vector(fake_A, "fake_A")
        golden.assert_vector(to_A(fake_B).image, "rec_A")
        golden.assert_vector(to_B(fake_A).image, "rec_B")
        golden.assert_vector(to_B(real_B).image, "idt_A")
        golden.assert_vector(to_A(real_A).image, "idt_B")
        # D_A judges domain B.
        for name, real, fake in (("D_A", real_B, fake_B), ("D_B", real_A, fake_A)):
            discriminator = cyclegan_discriminator_of(name, params[name])
            golden.assert_vector(discriminator(real), f"{name}.real")
            golden.assert_vector(discriminator(fake), f"{name}.fake")


def test_networks_have_the_golden_parameter_counts(golden: GoldenSet) -> None:
    params = golden.params
    generators = {name: cyclegan_generator(name, params[name]) for name in ("G_A", "G_B")}
    discriminators = {name: cyclegan_discriminator_of(name, params[name]) for name in ("D_A", "D_B")}
    golden.assert_counts({**generators, **discriminators})
