"""The steps of DRIT compute the official terms, gradients and changes of weights, in both modes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd.grad_mode import _unsafe_preserve_version_counter

from tests.golden.baselines_reading import (
    GoldenSet,
    golden_sections,
    golden_sets,
    gradient_norm,
    weight_change,
)
from training.importers.drit import drit_networks
from training.methods.drit.config import DritConfig, DritWeights
from training.methods.drit.method import Drit
from training.methods.drit.passes import Passes
from training.methods.learner import Terms
from training.methods.progress import Progress

pytestmark = pytest.mark.golden

CONTENT_ONLY = Progress(step=1, total=1000, epoch_steps=100)
WHOLE = Progress(step=3, total=1000, epoch_steps=100)
OFFICIAL = {"content_encoder": "enc_c", "attribute_encoder": "enc_a", "generator": "gen"}
JUDGES = ("disA", "disA2", "disB", "disB2", "disContent")
TERMS = {
    "D_adv_A": "D.disA",
    "D_adv_B": "D.disB",
    "D_adv_random_A": "D.disA2",
    "D_adv_random_B": "D.disB2",
    "D_content_AB": "D.disContent",
    "G_mode_A": "mode_seeking_BA",
    "G_mode_B": "mode_seeking_AB",
}
for _domain in "AB":
    TERMS |= {
        f"G_adv_{_domain}": f"G_adv_{_domain}",
        f"G_content_{_domain}": f"G_content_{_domain.lower()}",
        f"G_self_{_domain}": f"self_recon_{_domain}",
        f"G_cycle_{_domain}": f"cross_cycle_{_domain}",
        f"G_content_norm_{_domain}": f"kl_content_{_domain.lower()}",
        f"G_attribute_norm_{_domain}": f"kl_attr_{_domain.lower()}",
        f"G_adv_random_{_domain}": f"G_adv2_{_domain}",
        f"G_latent_{_domain}": f"latent_regression_{_domain.lower()}",
    }


class OldDrit(Drit):
    """Takes the second phase's gradients through weights that the first phase has moved, as old torch did."""

    def update_generator(self, passes: Sequence[Passes]) -> Terms:
        (only,) = passes
        first, second = self.encoded_objective(only), self.random_objective(only)
        self.weighted_sum(first).backward(retain_graph=True)  # type: ignore[no-untyped-call]
        parameters = tuple(each for network in self.networks.values() for each in network.parameters())
        with _unsafe_preserve_version_counter(parameters):
            for name in OFFICIAL:
                self.learner.update(name, [first])
        for name in OFFICIAL:
            self.learner.clear(name)
        self.weighted_sum(second).backward()  # type: ignore[no-untyped-call]
        for name in ("content_encoder", "generator"):
            self.learner.update(name, [second])
        return {}


def method_of(
    golden: GoldenSet, kind: type[Drit], *, learning_rate: float | None, mode_seeking: bool
) -> Drit:
    official = drit_networks(golden.params)
    config = golden.config
    method = kind(
        DritConfig(
            networks=official.config,
            weights=DritWeights(mode_seeking=float(mode_seeking)),
            learning_rate=config["lr"] if learning_rate is None else learning_rate,
            content_learning_rate=config["lr_content"] if learning_rate is None else learning_rate,
            largest_content_norm=config["content_clip"],
            betas=(config["beta1"], config["beta2"]),
            weight_decay=config["weight_decay"],
        ),
        size=config["size"][0],
    )
    found = {
        "content_encoder": official.encoder,
        "attribute_encoder": official.attribute,
        "generator": official.generator,
        **official.discriminators,
    }
    for name, network in method.networks.items():
        network.load_state_dict(found[name].state_dict())
    return method


def draws(golden: GoldenSet, section: str, *, mode_seeking: bool) -> Callable[[torch.Size], Tensor]:
    """Return a function that returns the golden draws of a whole step in their order."""
    concat = golden.config["concat"]

    def names() -> Iterator[str]:
        yield from ("noise.content_a", "noise.content_b")
        yield from (f"{section}.eps_a", f"{section}.eps_b") if concat else ()
        yield f"{section}.z_random"
        yield from ("given_ms.z_random2",) if mode_seeking else ()
        yield from ("noise.content_fake_A", "noise.content_fake_B")
        yield from (f"{section}.eps_recon_a", f"{section}.eps_recon_b") if concat else ()

    order = names()

    def draw(shape: torch.Size) -> Tensor:
        found = golden.tensor(next(order))
        assert found.shape == shape
        return found

    return draw


def recorded_step(
    golden: GoldenSet, method: Drit, section: str, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """Make a step with a section's draws; return terms, totals and gradient norms by official names."""
    found: dict[str, Any] = {}
    update: Callable[..., Terms] = method.learner.update
    calls: list[str] = []

    def record(name: str, collected: Sequence[Terms], **options: Any) -> Terms:
        found.update({TERMS[term]: value for term, value in collected[0].items()})
        if name in JUDGES:
            clipped = "_before_clip" if name == "disContent" else ""
            found[f"grad_norm.{name}{clipped}"] = gradient_norm(method.networks[name])
        else:
            phase = 2 if calls.count(name) else 1
            found[f"grad_norm.phase{phase}.{OFFICIAL[name]}"] = gradient_norm(method.networks[name])
            found[f"G_total_phase{phase}"] = method.weighted_sum(collected[0])
        calls.append(name)
        return update(name, collected, **options)

    batch = {"A": golden.tensor("real_A"), "B": golden.tensor("real_B")}
    with monkeypatch.context() as patch:
        patch.setattr(method.learner, "update", record)
        mode_seeking = method.config.weights.mode_seeking > 0
        patch.setattr(method, "draw", draws(golden, section, mode_seeking=mode_seeking))
        method.step(batch, progress)
    return found


@pytest.mark.parametrize(("golden", "section"), golden_sections("drit"))
def test_steps_compute_the_golden_values(
    golden: GoldenSet, section: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = Drit if section.endswith("_clean") or section.startswith("given") else OldDrit
    if section.startswith("given"):
        # A rate of almost 0: every network stays as it is.
        mode_seeking = section == "given_ms"
        method = method_of(golden, kind, learning_rate=1e-30, mode_seeking=mode_seeking)
        golden.assert_section(section, recorded_step(golden, method, "given", WHOLE, monkeypatch))
        return
    method = method_of(golden, kind, learning_rate=None, mode_seeking=False)
    before = {
        name: {key: value.clone() for key, value in network.state_dict().items()}
        for name, network in method.networks.items()
    }
    content_only = recorded_step(golden, method, "step1", CONTENT_ONLY, monkeypatch)
    found = recorded_step(golden, method, "step1", WHOLE, monkeypatch)
    if section == "step1":
        found["content_only.D.disContent"] = content_only["D.disContent"]
        norm = content_only["grad_norm.disContent_before_clip"]
        found["grad_norm.content_only.disContent_before_clip"] = norm
    if "step2" in section:
        found = recorded_step(golden, method, "step2", WHOLE, monkeypatch)
    if section.startswith("after_step2"):
        found = {
            f"weight_change_norm.{OFFICIAL.get(name, name)}": weight_change(network, before[name])
            for name, network in method.networks.items()
        }
    golden.assert_section(section, found)


@pytest.mark.parametrize("golden", golden_sets("drit"))
def test_the_pictures_of_a_step_are_the_golden_ones(
    golden: GoldenSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = method_of(golden, Drit, learning_rate=1e-30, mode_seeking=False)
    monkeypatch.setattr(method, "draw", draws(golden, "given", mode_seeking=False))
    with torch.no_grad():
        passes = method.passes({"A": golden.tensor("real_A"), "B": golden.tensor("real_B")})
    for domain in "AB":
        for pictures, name in (
            (passes.fake, f"fake_{domain}_encoded"),
            (passes.own, f"fake_{domain * 2}_encoded"),
            (passes.fake_random, f"fake_{domain}_random"),
            (passes.recon, f"fake_{domain}_recon"),
        ):
            golden.assert_vector(pictures[domain][:1, :, ::4, ::4], f"given.{name}.every4")


@pytest.mark.parametrize("golden", golden_sets("drit"))
def test_learning_rates_have_the_golden_factors(golden: GoldenSet) -> None:
    for epoch, factor in golden.config["lr_factor_by_epoch"].items():
        progress = Progress(step=5 * int(epoch) + 1, total=5 * 1200, epoch_steps=5)
        assert DritConfig().decay_at(progress) == pytest.approx(factor)
