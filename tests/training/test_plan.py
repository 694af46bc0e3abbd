"""What `plan` says of a run is what the run then takes."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import torch
from rich.console import Console

from tests.training.command import SMALL, data_set, train
from tests.training.tiny import pictures, tiny_config
from training.average import RunningAverage
from training.checkpoint.write import save
from training.config import from_mapping
from training.data.scan import scan
from training.data.stream import Stream
from training.methods.ugatit import Ugatit
from training.plan.dry import _Bytes, dry_step
from training.plan.plan import fitted, make_plan
from training.plan.render import render, size
from training.state import pack

WEIGHTS = 4
"""Bytes of a float32."""


def test_parameters_and_their_memory_are_those_of_the_networks() -> None:
    config = tiny_config(average_decay=0.9)
    costs, method = dry_step(config), Ugatit(config.ugatit)
    counts = {name: sum(p.numel() for p in network.parameters()) for name, network in method.networks.items()}
    assert costs.parameters == counts
    assert costs.gradients_bytes == WEIGHTS * sum(counts.values())
    assert costs.optimizer_bytes == pytest.approx(2 * costs.gradients_bytes, rel=0.01)
    assert costs.average_bytes == WEIGHTS * (counts["genA2B"] + counts["genB2A"])
    assert dry_step(tiny_config(average_decay=0.0)).average_bytes == 0


def test_the_dry_step_counts_the_bytes_that_a_real_one_makes() -> None:
    config = tiny_config()
    costs, method = dry_step(config), Ugatit(config.ugatit)
    method.step(pictures(), progress=0.0)
    kept = costs.gradients_bytes + costs.optimizer_bytes
    with _Bytes() as memory:
        memory.live = memory.peak = kept  # was made before anybody counted
        terms = method.step(pictures(), progress=0.0)
    assert torch.isfinite(terms["G_cycle_A"])
    # Gradients made anew while the old ones were never seen to go: they count twice.
    real = memory.peak - kept - costs.gradients_bytes
    assert costs.activations_bytes == pytest.approx(real, rel=0.1)


def test_twice_the_pictures_are_twice_the_work_and_about_twice_the_activations() -> None:
    one, two = (dry_step(tiny_config(batch=batch)) for batch in (2, 4))
    assert two.flops == pytest.approx(2 * one.flops, rel=0.05)
    assert 1.5 < two.activations_bytes / one.activations_bytes < 2.5


def test_a_checkpoint_takes_the_disk_that_was_planned(tmp_path: Path) -> None:
    config = tiny_config(average_decay=0.9)
    method = Ugatit(config.ugatit)
    average = RunningAverage(method.networks, method.averaged, decay=0.9)
    method.step(pictures(), progress=0.0)
    data = data_set(tmp_path / "data")
    with Stream(scan(data, max_unreadable_share=0.0), config.data, seed=0) as stream:
        folder = save(tmp_path / "checkpoints", pack(1, method, stream, average, {}))
    written = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    planned = make_plan(config, data, real_steps=False)
    # A network of a few thousand parameters has as many bytes of names.
    assert planned.checkpoint_bytes == pytest.approx(written, rel=0.25)
    assert planned.pictures == {"trainA": 5, "trainB": 4, "testA": 2, "testB": 2}
    assert planned.cache_bytes == 9 * 3 * 36**2


def test_discriminators_too_deep_for_the_size_are_planned_as_deep_as_fits() -> None:
    values, remarks = fitted({"data": {"size": 32}, "ugatit": {"generator": {"size": 32}}})
    config = from_mapping(values)
    layers = (config.ugatit.global_discriminator.layers, config.ugatit.local_discriminator.layers)
    assert layers == (5, 5)
    assert config.ugatit.global_discriminator.smallest_size <= 32
    (remark,) = remarks
    assert "ugatit.global_discriminator.layers is 7, which is too deep for 32 px" in remark
    assert "--set ugatit.global_discriminator.layers=5" in remark


def test_a_plan_fits_a_terminal_of_80_columns() -> None:
    file = io.StringIO()
    planned = make_plan(tiny_config(), None, real_steps=True)
    render(planned, ["too deep"], Console(file=file, width=80))
    told = file.getvalue()
    for words in ("parameters of genA2B", "activations", "memory measured", "measured on this", "too deep"):
        assert words in told
    assert max(map(len, told.splitlines())) <= 80


@pytest.mark.parametrize(
    ("count", "words"), [(512, "0.512 kB"), (54_600_000, "54.6 MB"), (8_200_000_000, "8.2 GB")]
)
def test_bytes_are_told_in_powers_of_ten(count: int, words: str) -> None:
    assert size(count) == words


def test_the_command_takes_the_flags_of_fit_and_starts_nothing(tmp_path: Path) -> None:
    code, out, _ = train("plan", *SMALL, "--steps=50", "--json")
    assert code == 0
    planned = json.loads(out)
    assert planned["config"]["steps"] == 50
    assert planned["parameters"].keys() == {"genA2B", "genB2A", "disGA", "disGB", "disLA", "disLB"}
    assert planned["memory_bytes"]["total"] == sum(list(planned["memory_bytes"].values())[:-1])
    assert planned["seconds"] == 50 * planned["step_seconds"] > 0
    assert planned["step_measured"] is False
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--preset=none",), "There is no preset 'none'"),
        (("--set=stps=4",), "did you mean steps?"),
        (("--size=30", "--set=ugatit.global_discriminator.layers=4"), "it must be a multiple of 4"),
        (("--data=nowhere",), "nowhere is no folder"),
    ],
)
def test_a_mistake_is_one_sentence(arguments: tuple[str, ...], says: str) -> None:
    code, _, error = train("plan", *SMALL, *arguments)
    assert code == 2
    assert says in error
    assert error.count("\n") == 1
