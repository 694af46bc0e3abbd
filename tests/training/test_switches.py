"""Each switch of the method makes the choice that it names, and the paper's preset makes all of them."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.networks.cam import raw_weight
from models.networks.config import ConfigError, DiscriminatorConfig, GeneratorConfig
from models.networks.normalization import LIN, AdaLIN
from training.config.run_config import default_config, from_mapping, load_preset
from training.methods.progress import TYPICAL
from training.methods.ugatit.config import UgatitConfig
from training.methods.ugatit.method import Ugatit


def small(**changes: Any) -> Ugatit:
    torch.manual_seed(3)
    networks = {
        "generator": GeneratorConfig(size=16, channels=4, blocks=1, light=True),
        "global_discriminator": DiscriminatorConfig(channels=4, layers=4),
        "local_discriminator": DiscriminatorConfig(channels=4, layers=3),
    }
    return Ugatit(UgatitConfig(**{**networks, **changes}))


def batch() -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(1)
    return {domain: torch.rand(2, 3, 16, 16, generator=random) * 2 - 1 for domain in "AB"}


def kernels(method: Ugatit) -> list[Tensor]:
    modules = [module for network in method.networks.values() for module in network.modules()]
    return [raw_weight(module) for module in modules if isinstance(module, nn.Conv2d | nn.Linear)]


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return found


def test_the_paper_s_preset_makes_every_choice_of_the_tensorflow_code_and_no_other() -> None:
    paper = flat(dataclasses.asdict(from_mapping(load_preset("paper"))))
    official = flat(dataclasses.asdict(default_config()))
    judges = {"shared_cam": True, "raw_cam_weight": False, "last_bias": True, "uneven_padding": True}
    assert {name: value for name, value in paper.items() if value != official[name]} == {
        "ugatit.initialization": "normal",
        "ugatit.adam": "tensorflow",
        "ugatit.weight_decay_on": "kernels",
        "ugatit.epochs": 100,
        "ugatit.generator.shared_cam": True,
        "ugatit.generator.biases": True,
        "ugatit.generator.affine_instance_norm": True,
        "ugatit.generator.smooth_rho": True,
        "ugatit.generator.unbiased_variance": False,
        "ugatit.generator.style_width": "blocks",
        **{f"ugatit.global_discriminator.{name}": value for name, value in judges.items()},
        **{f"ugatit.local_discriminator.{name}": value for name, value in judges.items()},
    }
    assert paper["steps"] == 100 * 10_000


def test_normal_weights_are_drawn_with_a_deviation_of_0_02_and_biases_are_zero() -> None:
    method = small(generator=GeneratorConfig(size=16, channels=8, biases=True), initialization="normal")
    for name, network in method.networks.items():
        for key, parameter in network.named_parameters():
            if key.endswith("bias"):
                assert not parameter.any(), (name, key)
    weights = torch.cat([weight.detach().flatten() for weight in kernels(method)])
    assert float(weights.std()) == pytest.approx(0.02, rel=0.02)
    assert float(weights.mean()) == pytest.approx(0, abs=1e-3)
    for network in method.generators.values():
        for norm in network.modules():
            if isinstance(norm, AdaLIN | LIN):
                assert float(norm.rho.detach().mean()) == pytest.approx(
                    0.9 if isinstance(norm, AdaLIN) else 0.0
                )


def test_weights_drawn_anew_are_spectrally_normalised_by_their_own_norm() -> None:
    for discriminator in small(initialization="normal").discriminators.values():
        discriminator.eval()
        for name, module in discriminator.named_modules():
            if isinstance(module, nn.Conv2d | nn.Linear) and "merge" not in name:
                norm = torch.linalg.matrix_norm(module.weight.detach().flatten(1), ord=2)
                assert float(norm) == pytest.approx(1, abs=0.1), name


def test_decay_on_kernels_is_an_l2_loss_on_the_weights_of_layers() -> None:
    decaying, reference = (
        small(weight_decay=decay, weight_decay_on="kernels", learning_rate=0.01) for decay in (0.1, 0.0)
    )
    for _ in range(3):
        for method in (decaying, reference):
            for optimizer in method.optimizers.values():
                optimizer.zero_grad()
            sums = [p.sum() for network in method.networks.values() for p in network.parameters()]
            loss = torch.stack(sums).sum()
            if method is reference:
                loss = (
                    loss + 0.1 / 2 * torch.stack([weight.square().sum() for weight in kernels(method)]).sum()
                )
            loss.backward()
            for optimizer in method.optimizers.values():
                optimizer.step()
    for name, network in decaying.networks.items():
        expected = dict(reference.networks[name].named_parameters())
        for key, parameter in network.named_parameters():
            torch.testing.assert_close(parameter, expected[key], msg=f"{name}.{key}")


@pytest.mark.parametrize("decayed", ["all", "kernels"])
def test_weight_decay_applies_to_all_weights_or_to_kernels_only(decayed: str) -> None:
    method = small(weight_decay_on=decayed)
    parameters = {id(p): p for network in method.networks.values() for p in network.parameters()}
    before = {key: parameter.detach().clone() for key, parameter in parameters.items()}
    for parameter in parameters.values():
        parameter.grad = torch.zeros_like(parameter)
    for optimizer in method.optimizers.values():
        optimizer.step()
    moved = {key for key, parameter in parameters.items() if not torch.equal(parameter, before[key])}
    not_zero = {key for key, value in before.items() if value.any()}
    assert moved == (not_zero if decayed == "all" else {id(weight) for weight in kernels(method)})


def by_epoch(epoch: int) -> float:
    """The schedule as the TensorFlow code counts: 100 epochs, the second half of them falling."""
    return 1e-4 if epoch < 50 else 1e-4 * (100 - epoch) / (100 - 50)


@pytest.mark.parametrize("iterations", [1, 7, 10_000])
def test_decay_by_epoch_lowers_the_learning_rate_only_at_the_start_of_an_epoch(iterations: int) -> None:
    config, steps = UgatitConfig(epochs=100), 100 * iterations
    for epoch in range(100):
        for step in {
            epoch * iterations + 1,
            epoch * iterations + iterations // 2 + 1,
            (epoch + 1) * iterations,
        }:
            assert config.learning_rate_at(step / steps) == pytest.approx(by_epoch(epoch)), step


def test_decay_by_step_lowers_the_learning_rate_to_zero_at_every_step() -> None:
    rates = [UgatitConfig().learning_rate_at(step / 100) for step in range(1, 101)]
    assert rates[:50] == [1e-4] * 50
    assert rates[50:] == pytest.approx([1e-4 * (100 - step) / 50 for step in range(51, 101)])
    assert UgatitConfig(decay_from=1.0).learning_rate_at(1.0) == 1e-4


def test_a_smoothed_rho_is_clipped_to_one_after_the_step() -> None:
    method = small(generator=GeneratorConfig(size=16, channels=4, blocks=1, light=True, smooth_rho=True))
    with torch.no_grad():
        for name, parameter in method.generators["genA2B"].named_parameters():
            if name.endswith("rho"):
                parameter.fill_(1.5)
    method.step(batch(), TYPICAL)
    for name, parameter in method.generators["genA2B"].named_parameters():
        if name.endswith("rho"):
            assert parameter.max() <= 1, name


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"generator": GeneratorConfig(size=64)},
            r"global_discriminator.layers must be at most 6 .*64 px, got 7",
        ),
        ({"decay_from": 1.5}, "decay_from must be from 0 to 1"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"epochs": -1}, "epochs at least 0"),
    ],
)
def test_an_invalid_value_is_refused_in_one_sentence(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        UgatitConfig(**changes)
