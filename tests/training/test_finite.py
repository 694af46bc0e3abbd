"""Updates that are not finite are skipped, and their batch leaves no trace."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from models.networks.config import ConfigError
from tests.training.flat import GREY, WHITE, made, state_of, with_flat
from tests.training.tiny import pictures, tiny_config
from training.config.run_config import from_mapping
from training.methods.finite_updates import GuardConfig, SkipCount
from training.methods.learner import Learner, Terms
from training.methods.progress import TYPICAL


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize("domain", ["A", "B"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_flat_picture_changes_neither_weights_nor_moments_of_the_generators(
    domain: str, precision: str
) -> None:
    method = made(tiny_config(speed={"precision": precision}))
    for level in (WHITE, GREY, -WHITE):  # which level breaks an update depends on the weights
        method.step(pictures(1), TYPICAL)
        before = state_of(method, "generators")
        terms = method.step(with_flat(domain, level), TYPICAL)
        assert all(torch.isfinite(term) for term in terms.values())
        if method.learner.skipped:
            assert method.learner.skipped == {"generators": ["gradients"]}
            assert equal(state_of(method, "generators"), before)
        for state in (state_of(method, "generators"), state_of(method, "discriminators")):
            assert all(value.abs().max() < 1e16 for value in state.values())  # false for NaN
    if precision == "float32":  # in bfloat16 the gradients of all three levels are finite
        assert method.learner.skips["generators"].total >= 1
    assert method.learner.skips["discriminators"].total == 0


def test_a_picture_that_is_not_finite_skips_both_updates_and_names_the_losses() -> None:
    method = made(tiny_config())
    before = {name: state_of(method, name) for name in method.optimizers}
    broken = pictures(1)
    broken["A"][0, 0, 0, 0] = float("nan")
    method.step(broken, TYPICAL)
    assert method.learner.skipped.keys() == {"generators", "discriminators"}
    assert "D_adv_GA" in method.learner.skipped["discriminators"]
    assert "G_cycle_A" in method.learner.skipped["generators"]
    for name, state in before.items():  # the vectors of the spectral norm too
        assert equal(state_of(method, name), state)


def test_one_broken_micro_batch_skips_the_whole_update() -> None:
    method = made(tiny_config())
    before = state_of(method, "generators")
    whole = pictures(2)
    whole["B"][1] = torch.nan
    method.step(whole, TYPICAL, accumulate=2)
    assert method.learner.skipped.keys() == {"generators", "discriminators"}
    assert equal(state_of(method, "generators"), before)


def test_a_skipped_step_does_not_change_the_following_steps() -> None:
    without, with_nan = made(tiny_config()), made(tiny_config())
    broken = {domain: torch.full_like(each, float("nan")) for domain, each in pictures(1).items()}
    for batch in (pictures(1, seed=1), pictures(1, seed=2)):
        without.step(batch, TYPICAL)
        with_nan.step(batch, TYPICAL)
        with_nan.step(broken, TYPICAL)
    for name in without.optimizers:
        assert equal(state_of(with_nan, name), state_of(without, name))


def test_skipped_updates_are_counted_in_total_and_in_a_row() -> None:
    learner = learner_of(nn.Linear(1, 1), most_skipped_in_a_row=2)
    for value, failing in ((math.nan, None), (1.0, None), (math.inf, None), (math.nan, "all")):
        update(learner, value)
        assert learner.failing_optimizer == failing
    assert learner.state_dict() == {"all": {"total": 3, "in_a_row": 2}}


def test_counts_of_skipped_updates_are_restored_from_a_checkpoint() -> None:
    learner = learner_of(nn.Linear(1, 1), most_skipped_in_a_row=2)
    learner.load_state_dict({"all": {"total": 7, "in_a_row": 1}})
    update(learner, math.nan)
    assert learner.skips == {"all": SkipCount(total=8, in_a_row=2)}
    learner.load_state_dict({})  # an early checkpoint
    assert learner.skips == {"all": SkipCount()}


def learner_of(network: nn.Module, **guard: float) -> Learner:
    optimizer = torch.optim.SGD(network.parameters())

    def weighted_sum(terms: Terms) -> Tensor:
        return torch.stack(list(terms.values())).sum()

    return Learner({"all": optimizer}, weighted_sum, guard=GuardConfig(**guard))  # type: ignore[arg-type]


def update(learner: Learner, factor: float) -> None:
    """Run a step whose loss is the mean of the parameters times a factor."""
    (group,) = learner.optimizers["all"].param_groups
    with learner.step([], learning_rate=0.1):
        terms = {"loss": factor * torch.cat([each.flatten() for each in group["params"]]).mean()}
        learner.update("all", [learner.backward(terms, micro_batches=1)])


def test_a_skipped_update_restores_the_running_statistics() -> None:
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2))
    learner = learner_of(network)
    for value, finite in ((1.0, True), (float("inf"), False)):
        before = {name: each.clone() for name, each in network.state_dict().items()}
        x = torch.rand(2, 3, 4, 4) * value
        with learner.step([network], learning_rate=1.0):
            learner.update("all", [learner.backward({"loss": network(x).square().mean()}, micro_batches=1)])
        assert bool(learner.skipped) is not finite
        assert equal(network.state_dict(), before) is not finite


@pytest.mark.parametrize(("norm", "skipped"), [(4.0, {"all": ["gradients"]}), (6.0, {})])
def test_gradients_above_the_largest_norm_count_as_not_finite(norm: float, skipped: object) -> None:
    network = nn.Linear(2, 1, bias=False)
    learner = learner_of(network, largest_gradient_norm=norm)
    with learner.step([network], learning_rate=0.1):
        terms = {"loss": network(torch.tensor([[3.0, 4.0]])).sum()}  # a gradient of norm 5
        learner.update("all", [learner.backward(terms, micro_batches=1)])
    assert learner.skipped == skipped


@pytest.mark.parametrize(
    ("guard", "says"),
    [
        ({"largest_gradient_norm": 1e30}, "must be above 0 and at most 1e18, got 1e+30"),
        ({"most_skipped_in_a_row": 0}, "must be at least 1, got 0"),
    ],
)
def test_a_guard_out_of_range_is_refused(guard: dict[str, float], says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        from_mapping({"guard": guard})
    assert says in str(refused.value)
