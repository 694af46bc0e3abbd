"""The steps of CartoonGAN compute the terms, gradients and changes of weights of the official codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from models.networks.cartoongan import CartoonganDiscriminatorConfig
from tests.golden.baselines_reading import GoldenSet, golden_sections, gradient_norm, weight_change
from training.importers.cartoongan import cartoongan_discriminator_of, cartoongan_generator
from training.methods.cartoongan.config import CartoonganConfig, CartoonganWeights
from training.methods.cartoongan.method import SMOOTHED, Cartoongan
from training.methods.learner import Terms
from training.methods.progress import Progress

pytestmark = pytest.mark.golden

INITIAL = Progress(step=1, total=100, epoch_steps=10)
MAIN = Progress(step=11, total=100, epoch_steps=10)
"""The first step after an initial epoch."""
OFFICIAL = {"generator": "G", "discriminator": "D"}
NETWORKS = {"generator": "genA2B", "discriminator": "disB"}
TERMS = {
    "D_real_B": "D_real",
    "D_fake_B": "D_fake",
    "D_smoothed_B": "D_smoothed",
    "G_adv_B": "G_adv",
    "G_content_A": "content",
}


def method_of(golden: GoldenSet, folder: Path, *, learning_rate: float) -> Cartoongan:
    params = golden.params
    generator = cartoongan_generator("G", params["G"])
    port = "VGG" in params
    if port:
        torch.save(params["VGG"], folder / "vgg.pth")
    method = Cartoongan(
        CartoonganConfig(
            generator=generator.config,
            discriminator=CartoonganDiscriminatorConfig(
                channels=golden.config["ndf"], affine_instance_norm=not port
            ),
            weights=CartoonganWeights(content=golden.config["content_weight"] if port else 0),
            vgg_weights=str(folder / "vgg.pth"),
            vgg_input="unit",
            adversarial="cross-entropy" if port else "least-squares",
            initial_epochs=1,
            initial_learning_rate=learning_rate,
            learning_rate=learning_rate,
            decay="steps",
            pool=0,
        ),
        size=golden.config["size"][0],
    )
    method.networks["genA2B"].load_state_dict(generator.state_dict())
    discriminator = cartoongan_discriminator_of("D", params["D"])
    method.networks["disB"].load_state_dict(discriminator.state_dict())
    return method


def batch_of(golden: GoldenSet) -> dict[str, Tensor]:
    return {
        "A": golden.tensor("photo"),
        "B": golden.tensor("cartoon"),
        SMOOTHED: golden.tensor("cartoon_smoothed"),
    }


def recorded_step(
    method: Cartoongan, batch: dict[str, Tensor], progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """Make a step; return terms, totals and gradient norms by official names."""
    found: dict[str, Any] = {}
    update: Callable[..., Terms] = method.learner.update
    judge = method.judge

    def record(name: str, collected: Sequence[Terms], **options: Any) -> Terms:
        found.update({TERMS[term]: value for term, value in collected[0].items()})
        found[f"{OFFICIAL[name]}_total"] = method.weighted_sum(collected[0])
        found[f"grad_norm.{OFFICIAL[name]}"] = gradient_norm(method.networks[NETWORKS[name]])
        return update(name, collected, **options)

    def judged(pictures: Tensor) -> Tensor:
        """Also record the least-squares values of the logits, which cross-entropy does not use."""
        logits = judge(pictures)
        parts = logits.detach().chunk(3) if len(pictures) == 3 else [logits.detach()]
        names = ("D_lsgan_real", "D_lsgan_fake", "D_lsgan_smoothed") if len(parts) == 3 else ("G_adv_lsgan",)
        for name, part in zip(names, parts, strict=True):
            label = float(name in ("D_lsgan_real", "G_adv_lsgan"))
            found[name] = (part - label).square().mean()
        return logits

    with monkeypatch.context() as patch:
        patch.setattr(method.learner, "update", record)
        if method.config.adversarial == "cross-entropy":
            patch.setattr(method, "judge", judged)
        method.step(batch, progress)
    return found


@pytest.mark.parametrize(("golden", "section"), golden_sections("cartoongan"))
def test_steps_compute_the_golden_values(
    golden: GoldenSet, section: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = batch_of(golden)
    if section in ("given", "init_phase"):
        # A rate of almost 0: every network stays as it is.
        method = method_of(golden, tmp_path, learning_rate=1e-30)
        progress = INITIAL if section == "init_phase" else MAIN
        found = recorded_step(method, batch, progress, monkeypatch)
        if "VGG" not in golden.params:
            del found["G_total"]  # the author's set has no content term
        golden.assert_section(section, found)
        return
    method = method_of(golden, tmp_path, learning_rate=golden.config["lr"])
    before = {
        name: {key: value.clone() for key, value in method.networks[network].state_dict().items()}
        for name, network in (("G", "genA2B"), ("D", "disB"))
    }
    found = recorded_step(method, batch, MAIN, monkeypatch)
    if section in ("step2", "after_step2"):
        found = recorded_step(method, batch, MAIN, monkeypatch)
    if section == "after_step2":
        found = {
            f"weight_change_norm.{name}": weight_change(method.networks[network], before[name])
            for name, network in (("G", "genA2B"), ("D", "disB"))
        }
    golden.assert_section(section, found)
