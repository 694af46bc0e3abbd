"""Our networks of CartoonGAN compute the outputs of the official ones."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from models.networks.blocks.strided_discriminator import StridedDiscriminator
from models.networks.cartoongan import CartoonganGenerator
from models.networks.vgg import VggFeatures
from tests.golden.baselines_reading import GoldenSet, golden_sets
from training.importers.cartoongan import cartoongan_discriminator_of, cartoongan_generator

pytestmark = [pytest.mark.golden, pytest.mark.parametrize("golden", golden_sets("cartoongan"))]


def networks(golden: GoldenSet) -> tuple[CartoonganGenerator, StridedDiscriminator]:
    params = golden.params
    return cartoongan_generator("G", params["G"]), cartoongan_discriminator_of("D", params["D"])


def vgg(golden: GoldenSet) -> VggFeatures:
    features = VggFeatures(channels=golden.config["vgg_base"])
    features.load_state_dict(golden.params["VGG"])
    return features


def with_epsilon(network: CartoonganGenerator, epsilon: float) -> CartoonganGenerator:
    for module in network.modules():
        if isinstance(module, nn.InstanceNorm2d):
            module.eps = epsilon
    return network


def test_networks_return_the_golden_outputs(golden: GoldenSet) -> None:
    generator, discriminator = networks(golden)
    with torch.inference_mode():
        fake = generator(golden.tensor("photo")).image
        golden.assert_vector(fake, "fake")
        cartoon, smoothed = golden.tensor("cartoon"), golden.tensor("cartoon_smoothed")
        logit = "_logit" if "D.real_logit" in golden.vectors else ""  # the author's D has no sigmoid
        for name, picture in (("fake", fake), ("real", cartoon), ("smoothed", smoothed)):
            golden.assert_vector(discriminator(picture), f"D.{name}{logit}")
            if logit:
                golden.assert_vector(discriminator(picture).sigmoid(), f"D.{name}")
        if "VGG" in golden.params:
            golden.assert_vector(vgg(golden)(golden.tensor("photo")), "VGG.photo")
            golden.assert_vector(vgg(golden)(fake), "VGG.fake")
        if "fake_eps1e-9" in golden.vectors:
            exact = with_epsilon(generator, 1e-9)
            golden.assert_vector(exact(golden.tensor("photo")).image, "fake_eps1e-9")


def test_networks_have_the_golden_parameter_counts(golden: GoldenSet) -> None:
    generator, discriminator = networks(golden)
    golden.assert_counts({"G": generator, "D": discriminator})
