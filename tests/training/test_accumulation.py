"""Gradient accumulation: micro-batches give the update of the whole batch, in less memory."""

from __future__ import annotations

import copy

import pytest
import torch

from tests.training.small import batch, small, weights
from training.methods.progress import TYPICAL


@pytest.mark.parametrize("count", [2, 4])
def test_micro_batches_give_the_update_of_the_whole_batch(count: int) -> None:
    whole = small()
    accumulated = copy.deepcopy(whole)
    for number in range(2):
        pictures = batch(4, seed=number)
        expected = whole.step(pictures, TYPICAL)
        found = accumulated.step(pictures, TYPICAL, accumulate=count)
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(weights(accumulated), weights(whole), rtol=1e-7, atol=1e-9)


def test_the_power_iteration_advances_as_often_as_without_accumulation() -> None:
    whole = small()
    accumulated = copy.deepcopy(whole)
    pictures = batch(2)
    whole.step(pictures, TYPICAL)
    accumulated.step(pictures, TYPICAL, accumulate=2)
    vectors = [name for name in weights(whole) if name.endswith(("._u", "._v"))]
    assert vectors
    for name in vectors:
        torch.testing.assert_close(weights(accumulated)[name], weights(whole)[name])


def test_no_forward_pass_is_larger_than_two_pictures_per_micro_batch() -> None:
    method = small()
    sizes: list[int] = []
    for network in method.networks.values():
        network.register_forward_hook(lambda _, inputs, __: sizes.append(len(inputs[0])))
    method.step(batch(4), TYPICAL, accumulate=4)
    assert max(sizes) == 2  # a translation and an identity, or a real and a fake picture


def test_discriminators_are_in_training_mode_after_accumulation() -> None:
    method = small()
    method.step(batch(2), TYPICAL, accumulate=2)
    assert all(network.training for network in method.discriminators.values())


def test_a_step_draws_no_random_numbers() -> None:
    method = small()
    method.step(batch(2), TYPICAL)
    before = torch.get_rng_state()
    method.step(batch(2), TYPICAL, accumulate=2)
    assert torch.equal(torch.get_rng_state(), before)
