"""What `plan` says of a run is what the run then takes."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import torch
from rich.console import Console

from tests.training.command import SMALL, data_set, typed
from tests.training.tiny import pictures, tiny_config
from training.checkpoint.write import save
from training.config.compute_settings import ComputeSettings
from training.config.run_config import from_mapping
from training.data.scan import scan
from training.data.stream import Stream
from training.methods.progress import TYPICAL
from training.methods.running_average import RunningAverage
from training.methods.ugatit.method import Ugatit
from training.plan import plan
from training.plan.evaluations import EXTRACTOR_SECONDS, count_evaluations, count_saves
from training.plan.plan import BFLOAT16_SHARE, Plan, count_pictures, fit_networks, make_plan
from training.plan.render import render, size
from training.plan.step_costs import CostCounter, step_costs
from training.run.evaluations import is_due
from training.run.state import pack

WEIGHTS = 4
"""Bytes of a float32."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return data_set(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def planned(data: Path) -> Plan:
    return make_plan(tiny_config(), count_pictures(data), real_steps=True)


def test_parameters_and_their_memory_are_those_of_the_networks(planned: Plan) -> None:
    costs, method = planned.costs, Ugatit(tiny_config().ugatit)
    counts = {name: sum(p.numel() for p in network.parameters()) for name, network in method.networks.items()}
    assert costs.parameters == counts
    assert costs.gradients_bytes == WEIGHTS * sum(counts.values())
    assert costs.optimizer_bytes == pytest.approx(2 * costs.gradients_bytes, rel=0.01)
    assert costs.average_bytes == WEIGHTS * (counts["genA2B"] + counts["genB2A"])


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_step_costs_equal_those_of_a_real_step(device: str) -> None:
    method = Ugatit(tiny_config().ugatit, speed=ComputeSettings(fused_adam=True))
    with CostCounter() as count:
        method.step(pictures(), TYPICAL)
        count.peak, count.flops = count.live, 0
        terms = method.step(pictures(), TYPICAL)
    assert torch.isfinite(terms["G_cycle_A"])
    costs = step_costs(tiny_config(), device=device)
    counted = costs.gradients_bytes + costs.optimizer_bytes + costs.activations_bytes
    assert counted == pytest.approx(count.peak, rel=0.1)
    assert costs.flops == count.flops > 0


def test_step_with_augmented_pictures_is_planned_without_memory_for_them() -> None:
    amounts = dict.fromkeys(("brightness", "saturation", "contrast", "shift"), 0.25)
    augmented = tiny_config(ugatit={"discriminator_augmentation": amounts})
    assert step_costs(augmented, device="meta").flops == step_costs(tiny_config(), device="meta").flops


def test_plan_leaves_the_random_state_unchanged() -> None:
    before = torch.get_rng_state()
    make_plan(tiny_config(), {})
    assert torch.equal(torch.get_rng_state(), before)


def test_bfloat16_activations_are_estimated_smaller_than_float32() -> None:
    plans = [make_plan(tiny_config(speed={"precision": name}), {}) for name in ("bfloat16", "float32")]
    half, full = (plan.costs.activations_bytes for plan in plans)
    assert half == pytest.approx(BFLOAT16_SHARE * full, rel=0.01)


def test_twice_the_pictures_are_twice_the_work_and_about_twice_the_activations() -> None:
    one, two = (step_costs(tiny_config(batch=count), device="cpu") for count in (2, 4))
    assert two.flops == pytest.approx(2 * one.flops, rel=0.05)
    assert 1.5 < two.activations_bytes / one.activations_bytes < 2.5


def test_two_passes_per_step_double_the_work_and_keep_about_the_memory_of_one() -> None:
    one, two = (step_costs(tiny_config(accumulate=passes), device="cpu") for passes in (1, 2))
    assert two.flops > 2 * one.flops  # all parts but the first are translated twice
    assert two.activations_bytes / one.activations_bytes < 1.5


def test_checkpoint_has_the_planned_size(planned: Plan, data: Path, tmp_path: Path) -> None:
    config = tiny_config()
    method = Ugatit(config.ugatit)
    average = RunningAverage(method.networks, method.averaged_networks, decay=0.9)
    method.step(pictures(), TYPICAL)
    with Stream(scan(data, max_unreadable_share=0.0), config.data, seed=0) as stream:
        folder = save(tmp_path / "checkpoints", pack(1, method, stream, average, {}))
    written = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    # Of networks this small the names of the tensors are a good part.
    assert planned.checkpoint_bytes == pytest.approx(written, rel=0.25)
    assert planned.pictures == {"trainA": 5, "trainB": 4, "testA": 2, "testB": 2}
    assert planned.cache_bytes == 9 * 3 * 36**2


def test_too_deep_discriminators_are_planned_with_the_deepest_that_fit() -> None:
    values, remarks = fit_networks({"data": {"size": 32}, "ugatit": {"generator": {"size": 32}}})
    config = from_mapping(values)
    layers = (config.ugatit.global_discriminator.layers, config.ugatit.local_discriminator.layers)
    assert layers == (5, 5)
    assert config.ugatit.global_discriminator.smallest_size <= 32
    (remark,) = remarks
    assert "ugatit.global_discriminator.layers is 7, which is too deep for 32 px" in remark
    assert "--set ugatit.global_discriminator.layers=5" in remark


def test_plan_fits_a_terminal_of_80_columns(planned: Plan) -> None:
    file = io.StringIO()
    render(planned, ["too deep"], Console(file=file, width=80))
    told = file.getvalue()
    for words in ("parameters of genA2B", "activations", "memory measured", "measured on this", "too deep"):
        assert words in told
    assert max(map(len, told.splitlines())) <= 80


@pytest.mark.parametrize(
    ("count", "words"), [(512, "0.512 kB"), (54_600_000, "54.6 MB"), (8_200_000_000, "8.2 GB")]
)
def test_sizes_are_printed_in_powers_of_ten(count: int, words: str) -> None:
    assert size(count) == words


def test_plan_takes_the_flags_of_fit_and_writes_nothing(tmp_path: Path) -> None:
    code, out, _ = typed("plan", *SMALL, "--steps=50", "--json")
    assert code == 0
    planned = json.loads(out)
    assert planned["config"]["steps"] == 50
    assert planned["parameters"].keys() == {"genA2B", "genB2A", "disGA", "disGB", "disLA", "disLB"}
    assert planned["memory_bytes"]["total"] == sum(list(planned["memory_bytes"].values())[:-1])
    assert planned["seconds"] == 50 * planned["step_seconds"] > 0
    assert planned["step_measured"] is False
    assert not list(tmp_path.iterdir())


def test_plan_explains_how_several_processes_change_steps() -> None:
    code, out, _ = typed("plan", *SMALL, "--accumulate=2", "--devices=3", "--precision=bfloat16", "--json")
    assert code == 0
    planned = json.loads(out)
    assert planned["processes"] == 3
    assert planned["pictures_per_step"] == 3 * 2 * 2
    assert planned["precision"] == "bfloat16"
    remarks = " ".join(planned["remarks"])
    assert "a step learns from 12 pictures of each domain" in remarks
    assert "equals one of a single process with --batch 6 --accumulate 2" in remarks
    assert "10,000 steps see 3 times the pictures" in remarks
    assert "use --steps 3333" in remarks
    assert "Activations in bfloat16 are estimated as" in remarks


def test_processes_on_one_cpu_share_its_cores_and_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "block_flops_per_second", lambda _: 1e9)
    monkeypatch.setattr(plan, "cores", lambda: torch.get_num_threads())
    one, four = (make_plan(tiny_config(), {}, processes=count, local_processes=count) for count in (1, 4))
    assert four.needed_bytes == 4 * one.needed_bytes
    assert four.step_seconds == pytest.approx(4 * one.step_seconds)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--preset=none",), "Unknown preset 'none'; the presets are author, common, cpu-demo"),
        (("--set=stps=4",), "Unknown config key 'stps'; did you mean 'steps'?"),
        (("--size=30", "--set=ugatit.global_discriminator.layers=4"), "size must be a multiple of 4"),
        (("--data=nowhere",), "nowhere is not a folder"),
    ],
)
def test_invalid_arguments_are_one_sentence(arguments: tuple[str, ...], says: str) -> None:
    code, _, error = typed("plan", *SMALL, *arguments)
    assert code == 2
    assert says in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("save_every", "evaluate_every", "saves", "evaluations"),
    [(20, 0, 3, 0), (20, 10, 5, 5), (10, 20, 5, 3), (20, 15, 6, 4), (25, 25, 2, 2), (100, 100, 1, 1)],
)
def test_evaluations_and_the_checkpoints_that_they_save_are_counted(
    save_every: int, evaluate_every: int, saves: int, evaluations: int
) -> None:
    config = tiny_config(steps=50, save_every=save_every, evaluate_every=evaluate_every)
    due = [step for step in range(1, 51) if is_due(config, step)]
    assert count_evaluations(config, 50) == len(due) == evaluations
    saved = {step for step in range(1, 51) if step % save_every == 0 or step == 50 or step in due}
    assert count_saves(config, 50) == len(saved) == saves


def test_the_time_of_evaluations_is_planned(data: Path) -> None:
    flags = (*SMALL, "--steps=50", "--evaluate-every=20")
    code, out, _ = typed("plan", "--data", data, *flags, "--json")
    planned = json.loads(out)
    assert code == 0
    assert planned["evaluations"] == 3
    assert 4 * EXTRACTOR_SECONDS < planned["evaluation_seconds"] < 10
    _, shown, _ = typed("plan", "--data", data, *flags)
    assert "3 of them, EfficientNet-Lite0" in shown
    without = json.loads(typed("plan", "--data", data, *SMALL, "--steps=50", "--json")[1])
    assert (without["evaluations"], without["evaluation_seconds"]) == (0, None)
