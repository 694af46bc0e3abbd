"""Before the first step, `fit` says what the run needs, and refuses what cannot fit."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from tests.training.command import SMALL, data_set, typed
from tests.training.tiny import tiny_config
from training.checkpoint import read
from training.checkpoint.content import Checkpoint
from training.checkpoint.read import Skipped
from training.config.compute_settings import ComputeSettings
from training.plan import plan, preflight
from training.run import fit as fit_module


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return data_set(tmp_path_factory.mktemp("data"))


def fit(data: Path, run: Path, *flags: str) -> tuple[int, str, str]:
    code, out, error = typed("fit", "--data", data, "--out", run, *SMALL, "--steps=1", *flags)
    return code, " ".join(out.split()), error


@pytest.fixture
def no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "free_memory_bytes", lambda _: 1_000_000)


@pytest.fixture
def no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "free_disk_bytes", lambda _: 2_000)


def test_memory_disk_and_time_are_printed_before_the_first_step(data: Path, tmp_path: Path) -> None:
    code, out, error = fit(data, tmp_path / "run")
    assert (code, error) == (0, "")
    before = out[: out.index("step 1 of 1")]
    for words in ("Memory: about ", " free. Disk in ", "Time: about ", " s a step.", "Assumed: "):
        assert words in before


@pytest.mark.usefixtures("no_memory")
def test_run_that_needs_more_memory_than_free_is_refused(data: Path, tmp_path: Path) -> None:
    code, _, error = fit(data, tmp_path / "run")
    assert code == 2
    assert error.startswith("ugatit-train: This run needs about ")
    assert " of memory (1 MB is free); use a smaller --preset, --size, --channels or --batch" in error
    assert error.endswith("or start the run anyway with --yes.\n")
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("no_memory", "no_disk")
def test_missing_memory_and_disk_are_one_sentence(data: Path, tmp_path: Path) -> None:
    code, _, error = fit(data, tmp_path / "run")
    assert (code, error.count("\n")) == (2, 1)
    assert " of memory (1 MB is free) and about " in error
    assert f" of disk in {tmp_path / 'run'} (2 kB is free); " in error
    assert "--save-every" in error


@pytest.mark.usefixtures("no_memory", "no_disk")
def test_yes_starts_the_run_with_a_warning(data: Path, tmp_path: Path) -> None:
    code, out, error = fit(data, tmp_path / "run", "--yes")
    assert (code, error) == (0, "")
    assert "Warning: This run needs about " in out
    assert "step 1 of 1" in out


def test_run_of_months_suggests_the_small_preset(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "block_flops_per_second", lambda _: 1.0)
    _, out, _ = fit(data, tmp_path / "run")
    assert "For a run of hours on a CPU, use --preset cpu-demo." in out


def test_estimate_does_not_change_the_number_of_threads(data: Path, tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    fit(data, tmp_path / "run")
    assert torch.get_num_threads() == threads


@pytest.fixture(scope="module")
def half_done(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has one of its 2 steps."""
    run = tmp_path_factory.mktemp("runs") / "run"
    assert fit(data, run)[0] == 0
    facts = json.loads((run / "config.json").read_text())
    facts["config"]["steps"] = 2
    (run / "config.json").write_text(json.dumps(facts))
    return run


def test_resume_prints_the_needs_of_the_steps_left(half_done: Path, tmp_path: Path) -> None:
    run = shutil.copytree(half_done, tmp_path / "run")
    code, out, error = typed("resume", run)
    assert (code, error) == (0, "")
    said = " ".join(out.split())
    assert said.index("Resuming from step 1.") < said.index("Memory: about ") < said.index("step 2 of 2")


@pytest.mark.usefixtures("no_disk")
def test_resume_refuses_a_full_disk_and_changes_nothing(half_done: Path) -> None:
    before = sorted(half_done.rglob("*"))
    code, _, error = typed("resume", half_done)
    assert (code, error.count("\n")) == (2, 1)
    assert "(2 kB is free); free some space, or start the run anyway with --yes." in error
    assert sorted(half_done.rglob("*")) == before


def test_resumed_run_frees_its_checkpoint(
    half_done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []

    def load_newest(directory: Path) -> tuple[Checkpoint, list[Skipped]]:
        found = read.load_newest(directory)
        loaded.append(found[0])
        return found

    monkeypatch.setattr(fit_module, "load_newest", load_newest)
    assert typed("resume", shutil.copytree(half_done, tmp_path / "run"))[0] == 0
    assert [checkpoint.tensors for checkpoint in loaded] == [{}]


def test_memory_of_each_gpu_is_compared_with_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "free_memory_bytes", lambda _: 80_000_000_000)
    monkeypatch.setattr(plan, "choose_settings", lambda *_: ComputeSettings(device_type="cuda"))
    one, four = (
        plan.make_plan(tiny_config(), {}, device_type="cuda", processes=count, local_processes=count)
        for count in (1, 4)
    )
    assert four.needed_bytes == one.needed_bytes == one.costs.total_bytes
