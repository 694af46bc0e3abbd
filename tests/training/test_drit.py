"""DRIT's steps, runs and bundles."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from models.bundle.manifest import STYLE_ENCODER
from models.networks.config import ConfigError
from models.networks.drit.config import DritConfig as DritNetworks
from models.networks.drit.config import Mode
from training.export.bundles import prepare_bundle
from training.export.parity import as_values, cpu_session
from training.methods.drit.config import DritConfig
from training.methods.drit.kind import DRIT
from training.methods.drit.method import Drit
from training.methods.drit.translators import ATTRIBUTE
from training.methods.progress import Progress


def small(mode: Mode = "concat") -> Drit:
    torch.manual_seed(3)
    networks = DritNetworks(channels=4, mode=mode, scales=1, content_layers=1)
    return Drit(DritConfig(networks=networks), size=48)


def changed(method: Drit, step: int, *, epoch_steps: int = 9) -> set[str]:
    """Make a step and return the networks that it changed."""
    before = copy.deepcopy({name: each.state_dict() for name, each in method.networks.items()})
    batch = {domain: torch.rand(2, 3, 48, 48) * 2 - 1 for domain in "AB"}
    method.step(batch, Progress(step=step, total=90, epoch_steps=epoch_steps))
    return {
        name
        for name, network in method.networks.items()
        if any(not torch.equal(value, before[name][key]) for key, value in network.state_dict().items())
    }


def test_two_of_three_steps_update_only_the_content_discriminator() -> None:
    method = small()
    assert changed(method, 1) == {"disContent"}
    assert changed(method, 2) == {"disContent"}
    assert changed(method, 3) == set(method.networks)


@pytest.mark.parametrize(("step", "only"), [(7, True), (8, False), (9, False), (10, True)])
def test_the_last_two_steps_of_an_epoch_are_whole(step: int, only: bool) -> None:
    progress = Progress(step=step, total=90, epoch_steps=9)
    assert DritConfig().is_content_only(progress) is only
    assert not DritConfig(content_only_steps=0).is_content_only(progress)


def test_pictures_too_small_for_the_content_discriminator_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least 212 for drit, got 208"):
        DritConfig().refuse_size(208)


@pytest.mark.parametrize("mode", ["concat", "feature-wise"])
def test_the_bundle_takes_style_codes(mode: Mode) -> None:
    method = small(mode)
    for network in method.networks.values():
        for parameter in network.parameters():
            if parameter.dim() == 4:
                torch.nn.init.kaiming_normal_(parameter)
    bundle = prepare_bundle("cat2dog", method.translators()[0])
    assert [each.kind for each in bundle.manifest.inputs] == ["picture", "style"]
    assert bundle.manifest.parity.image_equal > 0.995


@pytest.mark.parametrize("mode", ["concat", "feature-wise"])
def test_style_of_a_reference_is_the_mean_attribute_of_the_target_domain(mode: Mode) -> None:
    method = small(mode)
    bundle = prepare_bundle("cat2dog", method.translators()[0])
    assert bundle.manifest.reference
    pixels = np.random.default_rng(5).integers(0, 256, (2, 48, 56, 3), dtype=np.uint8)
    (found,) = cpu_session(bundle.files[STYLE_ENCODER]).run(["style"], {"pixels": pixels})
    with torch.inference_mode():
        expected = method.networks[ATTRIBUTE].eval()(as_values(pixels).float(), "B").mean
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4, atol=1e-6)


def test_a_content_discriminator_of_fewer_layers_than_the_official_one_is_named() -> None:
    assert list(DRIT.lacks(DritConfig())) == []
    small_pictures = DritConfig(networks=DritNetworks(content_layers=1))
    (remark,) = DRIT.lacks(small_pictures)
    assert "1 instead of 3 layers" in remark
