"""Gradient accumulation: a batch in several parts is the same batch, in less memory."""

from __future__ import annotations

import copy

import pytest
import torch

from tests.training.small import batch, small, weights


@pytest.mark.parametrize("parts", [2, 4])
def test_a_batch_in_parts_learns_what_the_whole_learns(parts: int) -> None:
    whole = small()
    in_parts = copy.deepcopy(whole)
    for number in range(2):
        pictures = batch(4, seed=number)
        expected = whole.step(pictures, progress=0.0)
        found = in_parts.step(pictures, progress=0.0, parts=parts)
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(weights(in_parts), weights(whole), rtol=1e-7, atol=1e-9)


def test_the_power_iteration_advances_as_often_as_for_the_whole() -> None:
    whole = small()
    in_parts = copy.deepcopy(whole)
    pictures = batch(2)
    whole.step(pictures, progress=0.0)
    in_parts.step(pictures, progress=0.0, parts=2)
    vectors = [name for name in weights(whole) if name.endswith(("._u", "._v"))]
    assert vectors
    for name in vectors:
        torch.testing.assert_close(weights(in_parts)[name], weights(whole)[name])


def test_no_pass_is_larger_than_a_part() -> None:
    method = small()
    sizes: list[int] = []
    for network in method.networks.values():
        network.register_forward_hook(lambda _, inputs, __: sizes.append(len(inputs[0])))
    method.step(batch(4), progress=0.0, parts=4)
    assert max(sizes) == 2  # a picture to translate and one to stay as it is, or a real and a fake one


def test_the_discriminators_still_learn_after_a_step_in_parts() -> None:
    method = small()
    method.step(batch(2), progress=0.0, parts=2)
    assert all(network.training for network in method.discriminators.values())


def test_a_step_draws_no_random_number() -> None:
    method = small()
    method.step(batch(2), progress=0.0)
    before = torch.get_rng_state()
    method.step(batch(2), progress=0.0, parts=2)
    assert torch.equal(torch.get_rng_state(), before)
