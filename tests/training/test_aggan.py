"""AGGAN's phases, schedule, runs and bundles."""

from __future__ import annotations

import pytest
import torch

from models.networks.aggan import AgganDiscriminatorConfig, AgganGeneratorConfig
from training.export.bundles import prepare_bundle
from training.methods.aggan.adam import SharedAdam
from training.methods.aggan.config import AgganConfig
from training.methods.aggan.method import Aggan
from training.methods.progress import Progress

SMALL = AgganConfig(
    generator=AgganGeneratorConfig(channels=4, blocks=2),
    discriminator=AgganDiscriminatorConfig(channels=4),
)


def at(epoch: int, *, epochs: int = 100) -> Progress:
    """The first step of an epoch of 7 steps."""
    return Progress(step=7 * epoch + 1, total=7 * epochs, epoch_steps=7)


@pytest.mark.parametrize(
    ("epoch", "factor"), [(0, 1), (49, 1), (50, 1), (51, 1 - 1 / 50), (75, 0.5), (99, 1 / 50)]
)
def test_learning_rate_decays_at_the_start_of_each_epoch_of_the_second_half(
    epoch: int, factor: float
) -> None:
    first = at(epoch)
    last = first._replace(step=first.step + 6)
    for progress in (first, last):
        assert AgganConfig().learning_rate_at(progress) == pytest.approx(1e-4 * factor)


def test_the_second_phase_begins_at_epoch_30_or_at_a_share_of_the_run() -> None:
    by_epoch, by_share = AgganConfig(), AgganConfig(switch_epoch=0, switch_share=0.3)
    assert [by_epoch.is_switched(at(epoch)) for epoch in (29, 30)] == [False, True]
    assert [by_epoch.is_switched(at(epoch, epochs=200)) for epoch in (29, 30)] == [False, True]
    steps = [Progress(step=step, total=100, epoch_steps=100) for step in (30, 31)]
    assert [by_share.is_switched(progress) for progress in steps] == [False, True]


def test_optimizers_that_share_their_bias_correction_equal_one_tensorflow_adam() -> None:
    weights = [torch.nn.Parameter(torch.tensor([1.0], dtype=torch.float64)) for _ in range(3)]
    optimizers = [
        SharedAdam([each], position=at, objectives=3, learning_rate=0.1, betas=(0.5, 0.999), fused=None)
        for at, each in enumerate(weights)
    ]
    expected, moments, time = [1.0] * 3, [(0.0, 0.0)] * 3, 0
    for step in range(4):
        for number, optimizer in enumerate(optimizers):
            time += 1
            gradient = 1e-6 * (number + 1) * (-1) ** step
            weights[number].grad = torch.tensor([gradient], dtype=torch.float64)
            optimizer.step()
            m, v = moments[number]
            m, v = 0.5 * m + 0.5 * gradient, 0.999 * v + 0.001 * gradient**2
            moments[number] = (m, v)
            rate = 0.1 * (1 - 0.999**time) ** 0.5 / (1 - 0.5**time)
            expected[number] -= rate * m / (v**0.5 + 1e-8)
            assert optimizer.param_groups[0]["lr"] == 0.1
    assert [float(each.detach()) for each in weights] == pytest.approx(expected, rel=1e-9)


def test_a_skipped_step_leaves_nothing_in_the_pools() -> None:
    torch.manual_seed(1)
    method = Aggan(SMALL, size=16)
    good = {domain: torch.rand(1, 3, 16, 16) for domain in "AB"}
    method.step(good, at(0))
    before = method.extra_state().tensors
    bad = {**good, "A": torch.full((1, 3, 16, 16), float("nan"))}
    method.step(bad, at(0))
    assert method.learner.skipped
    after = method.extra_state().tensors
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_bundle_has_the_mask_and_blends_with_it() -> None:
    torch.manual_seed(2)
    method = Aggan(SMALL, size=16)
    for network in method.networks.values():
        for parameter in network.parameters():
            if parameter.dim() == 4:
                torch.nn.init.kaiming_normal_(parameter)
    bundle = prepare_bundle("photo2ink", method.translators()[0])
    (mask,) = bundle.manifest.maps
    assert (mask.name, mask.kind, mask.mask_range) == ("attention", "mask", (0, 1))
    assert bundle.manifest.parity.attention_relative is not None
    assert bundle.manifest.method == "aggan"
    assert not bundle.manifest.image.fixed
