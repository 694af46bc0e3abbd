"""Runs of two processes, by flag and by torchrun."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import ROOT, environment
from tests.parallel.machines import kill_worker, two_machines
from tests.training.command import SMALL, data_set, train, typed, wait_for
from training.checkpoint.content import digest
from training.checkpoint.read import load_newest, read_manifests

STEPS = 16
FOLDER = ("--set=stats_every=1", "--set=tensorboard=false", "--save-every=1000")
CLASSIFIER = ("--set=ugatit.weights.feature=0.3", "--set=ugatit.weights.nce=1")
ARGUMENTS = (*SMALL, *CLASSIFIER, f"--steps={STEPS}", *FOLDER, "--accelerator=cpu")
TWO = ("--batch=1", "--devices=2")
TORCHRUN = (
    sys.executable,
    "-m",
    "torch.distributed.run",
    "--nproc-per-node=2",
    "--standalone",
    "-m",
    "training",
)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return data_set(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="module")
def whole(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two processes that nobody interrupted."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    code, out, error = train("fit", "--data", pictures, "--out", run, *ARGUMENTS, *TWO)
    assert (code, error) == (0, "")
    assert out.count("Computing on") == out.count(f"step {STEPS} of {STEPS}") == 1  # one speaks for both
    assert "; 2 processes on this machine, " in " ".join(out.split())
    return run


def last_stats(run: Path) -> dict[str, float]:
    line: dict[str, float] = json.loads((run / "stats.jsonl").read_text().splitlines()[-1])
    return line


def state(run: Path) -> str:
    """Return the digest of the newest checkpoint without the config, which says how often to save."""
    checkpoint = load_newest(run / "checkpoints")[0]
    scalars = {name: each for name, each in checkpoint.scalars.items() if name != "config"}
    return digest(checkpoint._replace(scalars=scalars))


def losses(run: Path) -> list[dict[str, float]]:
    """Return the losses of every step."""
    lines = [json.loads(line) for line in (run / "stats.jsonl").read_text().splitlines()]
    return [{name: each[name] for name in each if name.startswith(("D_", "G_"))} for each in lines]


def test_two_processes_train_as_one_with_twice_the_batch(whole: Path, pictures: Path, tmp_path: Path) -> None:
    run = tmp_path / "alone"
    assert typed("fit", "--data", pictures, "--out", run, *ARGUMENTS, "--batch=1", "--accumulate=2")[0] == 0
    alone, two = last_stats(run), last_stats(whole)
    assert alone.keys() == two.keys()
    for name in (name for name in alone if name.startswith(("D_", "G_"))):
        assert two[name] == pytest.approx(alone[name], rel=0.02), name


def test_two_processes_evaluate_once(pictures: Path, tmp_path: Path) -> None:
    run = tmp_path / "evaluated"
    flags = (*SMALL, "--steps=2", *FOLDER, "--accelerator=cpu", *TWO, "--evaluate-every=1")
    code, out, error = train("fit", "--data", pictures, "--out", run, *flags)
    assert (code, error) == (0, "")
    assert out.count("step 1: KID") == out.count("step 2: KID") == 1
    figures = [manifest.figure for _, manifest in read_manifests(run / "checkpoints")]
    assert len(figures) == 2
    assert None not in figures


def test_an_impossible_evaluation_ends_both_processes_with_one_sentence(
    pictures: Path, tmp_path: Path
) -> None:
    flags = (*SMALL, "--steps=2", *FOLDER, "--accelerator=cpu", *TWO, "--evaluate-every=1")
    missing = "--set=inception_weights=nowhere.pth"
    code, _, error = train("fit", "--data", pictures, "--out", tmp_path / "run", *flags, missing)
    assert (code, error.count("\n")) == (2, 1)
    assert "nowhere.pth cannot be read" in error
    assert not (tmp_path / "run").exists()


def test_stopped_torchrun_stops_both_processes_and_resumes_exactly(
    whole: Path, pictures: Path, tmp_path: Path
) -> None:
    run = tmp_path / "stopped"
    command = [*TORCHRUN, "fit", "--data", pictures, "--out", run, *ARGUMENTS, "--batch=1"]
    process = subprocess.Popen(command, env=environment(), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    wait_for(run / "stats.jsonl", process)
    process.terminate()
    out, _ = process.communicate(timeout=300)  # torchrun's own exit code tells of the signal
    assert out.count("Stopped at step") == 1
    assert 1 <= load_newest(run / "checkpoints")[0].step < STEPS
    code, out, error = train("resume", run, "--accelerator=cpu", "--devices=2")
    assert (code, error) == (0, "")
    assert digest(load_newest(run / "checkpoints")[0]) == digest(load_newest(whole / "checkpoints")[0])


def test_killed_worker_ends_both_machines_and_the_run_resumes_exactly(
    whole: Path, pictures: Path, tmp_path: Path
) -> None:
    run = tmp_path / "machines"
    with two_machines() as machines:
        flags = (*ARGUMENTS, "--batch=1", "--save-every=12")
        torchruns = machines.start("fit", "--data", pictures, "--out", run, *flags)
        wait_for(run / "checkpoints" / "00000012", torchruns[0])
        kill_worker(torchruns[1])
        ends = [torchrun.communicate(timeout=60) for torchrun in torchruns]
        assert [torchrun.returncode for torchrun in torchruns] == [1, 1]
        assert "continue the run with ugatit-train resume" in ends[0][1]
        assert load_newest(run / "checkpoints")[0].step < STEPS

        resumed = machines.start("resume", run, "--accelerator=cpu")
        ends = [torchrun.communicate(timeout=600) for torchrun in resumed]
        assert [torchrun.returncode for torchrun in resumed] == [0, 0], ends
    assert "; 2 processes on 2 machines, " in " ".join(ends[0][0].split())
    assert state(run) == state(whole)
    assert losses(run) == losses(whole)  # which are those of one process, as the first test shows


def test_one_process_resumes_a_run_of_two_and_reports_the_difference(whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    facts = json.loads((run / "config.json").read_text())
    facts["config"]["steps"] = STEPS + 1
    (run / "config.json").write_text(json.dumps(facts))
    code, out, error = typed("resume", run, "--accelerator=cpu")
    assert (code, error) == (0, "")
    assert "Pictures of each domain per step changed: 2 -> 1" in " ".join(out.split())
    assert load_newest(run / "checkpoints")[0].step == STEPS + 1
