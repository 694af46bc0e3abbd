"""The steps of AGGAN compute the official terms, gradients and changes of weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.golden.aggan_networks import aggan_networks
from tests.golden.baselines_reading import (
    GoldenSet,
    golden_sections,
    golden_sets,
    gradient_norm,
    weight_change,
)
from training.methods.aggan.config import AgganConfig
from training.methods.aggan.method import Aggan
from training.methods.learner import Terms
from training.methods.progress import Progress

pytestmark = pytest.mark.golden

FIRST = Progress(step=1, total=1_000_000, epoch_steps=1)
SWITCHED = Progress(step=31, total=1_000_000, epoch_steps=1)
"""The first step after the switch at epoch 30."""
OFFICIAL = {"genA2B": "g_A", "genB2A": "g_B", "disA": "d_A", "disB": "d_B"}
TERMS = {
    "G_cycle_A": "cycle_a",
    "G_cycle_B": "cycle_b",
    "G_adv_A": "G_adv_a",
    "G_adv_B": "G_adv_b",
    "D_adv_A": "D_A",
    "D_adv_B": "D_B",
}


def method_of(golden: GoldenSet, *, learning_rate: float) -> Aggan:
    networks = aggan_networks(golden)
    generator = networks.generators["a"]
    method = Aggan(
        AgganConfig(
            generator=generator.config,
            discriminator=networks.discriminators["a"].config,
            switch_epoch=golden.config["switch_epoch"],
            threshold=golden.config["threshold"],
            pool=golden.config["pool_size"],
            learning_rate=learning_rate,
            betas=(golden.config["beta1"], golden.config["beta2"]),
        ),
        size=golden.config["size"][0],
    )
    for domain, source in (("A", "a"), ("B", "b")):
        other = "B" if domain == "A" else "A"
        method.networks[f"gen{domain}2{other}"].load_state_dict(networks.generators[source].state_dict())
        method.networks[f"dis{domain}"].load_state_dict(networks.discriminators[source].state_dict())
    return method


def batch_of(golden: GoldenSet) -> dict[str, Tensor]:
    return {"A": golden.tensor("input_a"), "B": golden.tensor("input_b")}


def recorded_step(
    method: Aggan, batch: dict[str, Tensor], progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, Any]]:
    """Make a step; return the terms, totals and gradient norms of its four updates by official names."""
    found: list[dict[str, Any]] = []
    update: Callable[..., Terms] = method.learner.update

    def record(name: str, collected: Sequence[Terms], **options: Any) -> Terms:
        official, network = OFFICIAL[name], method.networks[name]
        values: dict[str, Any] = {TERMS[term]: value for term, value in collected[0].items()}
        if name.startswith("gen"):
            values[f"G_{official[-1]}_total"] = method.weighted_sum(collected[0])
            values[f"grad_norm.{official}"] = gradient_norm(network.get_submodule("whole_picture"))
            values[f"grad_norm.{official}_ae"] = attention_norm(method, batch, name)
        else:
            values[f"grad_norm.{official}"] = gradient_norm(network)
        found.append(values)
        return update(name, collected, **options)

    with monkeypatch.context() as patch:
        patch.setattr(method.learner, "update", record)
        method.step(batch, progress)
    return found


def attention_norm(method: Aggan, batch: dict[str, Tensor], generator: str) -> float:
    """Return the norm of the attention network's gradients, which a step computes only before the switch."""
    attention = method.networks[generator].get_submodule("attention")
    if not method.switched:
        return gradient_norm(attention)
    parameters = list(attention.requires_grad_().parameters())
    terms, _ = method.generator_objective(batch, source=generator[3], target=generator[5])
    gradients = torch.autograd.grad(method.weighted_sum(terms), parameters)
    attention.requires_grad_(requires_grad=False)
    return float(torch.linalg.vector_norm(torch.cat([each.double().flatten() for each in gradients])))


def numbered(updates: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the values under the names of a section of a whole step."""
    names = ("1_G_A", "2_D_B", "3_G_B", "4_D_A")
    return {
        f"{prefix}.{name}": value
        for prefix, values in zip(names, updates, strict=True)
        for name, value in values.items()
    }


@pytest.mark.parametrize(("golden", "section"), golden_sections("aggan"))
def test_steps_compute_the_golden_values(
    golden: GoldenSet, section: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = batch_of(golden)
    if section.startswith("given"):
        # A rate of almost 0: every network stays as it is.
        method = method_of(golden, learning_rate=1e-30)
        progress = SWITCHED if section == "given_switched" else FIRST
        updates = recorded_step(method, batch, progress, monkeypatch)
        found = {name: value for values in updates for name, value in values.items()}
        golden.assert_section(section, found)
        return
    method = method_of(golden, learning_rate=golden.config["lr"])
    before = {name: copies(network) for name, network in parts(method).items()}
    first = recorded_step(method, batch, FIRST, monkeypatch)
    if section == "step1":
        golden.assert_section(section, numbered(first))
        return
    second = recorded_step(method, batch, SWITCHED, monkeypatch)
    if section == "step2_switched":
        golden.assert_section(section, numbered(second))
        return
    changes = {
        f"weight_change_norm.{name}": weight_change(network, before[name])
        for name, network in parts(method).items()
    }
    golden.assert_section(section, changes)
    assert_outputs(golden, method, batch)


def assert_outputs(golden: GoldenSet, method: Aggan, batch: dict[str, Tensor]) -> None:
    """Compare the translations after both steps, by their norms.

    The golden run's rounding errors, which Adam's first step makes as large as the learning rate, moved
    single pixels by up to 1.1e-2: in float64 our steps differ from it as much as in float32.
    """
    with torch.inference_mode():
        fake_b, mask_a = method.translate("genA2B", batch["A"])
        fake_a, _ = method.translate("genB2A", batch["B"])
    for found, name in ((mask_a[:, None], "mask_a"), (fake_b, "fake_b"), (fake_a, "fake_a")):
        expected = golden.tensor(f"after_step2.{name}")
        assert float((found - expected).norm() / expected.norm()) < 1e-2, name


def parts(method: Aggan) -> dict[str, nn.Module]:
    found: dict[str, nn.Module] = {}
    for name, official in OFFICIAL.items():
        network = method.networks[name]
        if name.startswith("gen"):
            found[official] = network.get_submodule("whole_picture")
            found[f"{official}_ae"] = network.get_submodule("attention")
        else:
            found[official] = network
    return found


def copies(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


@pytest.mark.parametrize("golden", golden_sets("aggan"))
def test_after_the_switch_the_attention_networks_keep_their_weights(golden: GoldenSet) -> None:
    method = method_of(golden, learning_rate=1e-3)
    before = {name: copies(network) for name, network in parts(method).items()}
    method.step(batch_of(golden), SWITCHED)
    changed = {
        name
        for name, network in parts(method).items()
        if any(not torch.equal(value, before[name][key]) for key, value in network.state_dict().items())
    }
    assert changed == {"g_A", "g_B", "d_A", "d_B"}
