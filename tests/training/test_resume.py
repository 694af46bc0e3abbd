"""Runs that continue: longer than planned, or with pictures that were moved; what those say that cannot."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.training.command import SMALL, data_set, typed
from training.checkpoint.content import digest
from training.checkpoint.read import load_newest

QUIET = (*SMALL, "--batch=1", "--set=tensorboard=false", "--set=stats_every=1")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of one step in `run`, and its pictures in `data`."""
    folder = tmp_path_factory.mktemp("finished")
    data = data_set(folder / "data")
    assert typed("fit", "--data", data, "--out", folder / "run", *QUIET, "--steps=1")[0] == 0
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """A copy, whose run names the copy's pictures."""
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    facts = json.loads((tmp_path / "run" / "config.json").read_text())
    facts["data"] = str(tmp_path / "data")
    (tmp_path / "run" / "config.json").write_text(json.dumps(facts))
    return tmp_path


def refusal(*arguments: str | Path) -> str:
    """The one sentence of a command that is refused."""
    code, _, error = typed(*arguments)
    assert (code, error.count("\n")) == (2, 1)
    return error


def learning_rate(run: Path) -> float:
    """At the newest checkpoint."""
    (group,) = load_newest(run / "checkpoints")[0].scalars["optimizers"]["generators"]["groups"]
    return float(group["lr"])


def test_a_finished_run_of_one_step_explains_how_to_make_it_longer(folder: Path) -> None:
    code, out, _ = typed("resume", folder / "run")
    assert code == 0
    assert out.endswith("run is finished after 1 step; make it longer with --steps N.\n")


def test_a_longer_run_records_its_length_and_follows_its_schedule(folder: Path) -> None:
    run = folder / "run"
    assert learning_rate(run) == 0  # the end of a run of one step
    code, out, error = typed("resume", run, "--steps=3")
    assert (code, error) == (0, "")
    assert "Config changed since the checkpoint: steps was 1 and is 3.\n" in out
    assert "The learning rate follows the new number of steps.\n" in out
    assert json.loads((run / "config.json").read_text())["config"]["steps"] == 3
    assert load_newest(run / "checkpoints")[0].step == 3
    assert "is finished after 3 steps" in typed("resume", run)[1]
    second = json.loads((run / "stats.jsonl").read_text().splitlines()[1])
    # Of three steps two are done; the rate of 2e-4 falls after 0.6 of them.
    assert second["learning_rate"]["generators"] == pytest.approx(2e-4 * (1 - 2 / 3) / (1 - 0.6))


def test_fewer_steps_than_are_done_are_refused(folder: Path) -> None:
    assert typed("resume", folder / "run", "--steps=2")[0] == 0
    error = refusal("resume", folder / "run", "--steps=1")
    assert "--steps must be more than the 2 that" in error
    assert "got 1" in error


def test_moved_pictures_are_found_with_data_and_their_folder_is_recorded(
    folder: Path, tmp_path: Path
) -> None:
    run = folder / "run"
    assert typed("resume", run, "--steps=2")[0] == 0
    expected = digest(load_newest(run / "checkpoints")[0])
    shutil.rmtree(run / "checkpoints" / "00000002")
    (folder / "data").rename(folder / "moved")
    assert "which is not a folder; name the folder that they were moved to with --data PATH" in refusal(
        "resume", run
    )
    code, _, error = typed("resume", run, "--data", folder / "moved")
    assert (code, error) == (0, "")
    assert digest(load_newest(run / "checkpoints")[0]) == expected
    assert typed("resume", run, "--steps=3")[0] == 0


def test_pictures_that_differ_are_named(folder: Path) -> None:
    data = folder / "data"
    (data / "trainA" / "0.png").unlink()
    shutil.copy(data / "testA" / "0.png", data / "trainA" / "new.png")
    shutil.copy(data / "trainB" / "0.png", data / "trainB" / "1.png")
    error = refusal("resume", folder / "run", "--steps=2")
    assert "1 missing or unreadable (trainA/0.png); 1 new (trainA/new.png); 1 changed (trainB/1.png)" in error
    assert "with --data PATH, or start a new run from this run's weights with ugatit-train fit" in error


def test_an_early_run_without_a_list_of_its_pictures_continues_and_gets_one(folder: Path) -> None:
    run, listed = folder / "run", folder / "run" / "pictures.sha256"
    listed.unlink()
    (folder / "data" / "trainA" / "0.png").rename(folder / "kept.png")
    error = refusal("resume", run, "--steps=2")
    assert "the run has no list of its pictures, so which ones is unknown" in error
    (folder / "kept.png").rename(folder / "data" / "trainA" / "0.png")
    assert typed("resume", run, "--steps=2")[0] == 0
    assert listed.read_bytes().count(b"\n") == 9


def test_a_sheet_that_cannot_be_written_does_not_prevent_the_checkpoint(folder: Path) -> None:
    run = folder / "run"
    shutil.rmtree(run / "samples")
    (run / "samples").write_text("a file where a folder was")
    code, out, error = typed("resume", run, "--steps=2")
    assert (code, error) == (0, "")
    assert "Warning: the sample sheets of the test pictures could not be written to" in out
    newest, skipped = load_newest(run / "checkpoints")
    assert (newest.step, skipped) == (2, [])
    latest = json.loads((run / "latest.json").read_text())
    assert latest["latest"]["score"] is not None


def test_the_manifest_of_a_bundle_names_the_config_of_its_checkpoint(folder: Path) -> None:
    hashes = []
    for name in ("before", "after"):
        out = folder / name
        assert typed("export", folder / "run", "--a2b=cat2dog", "--out", out)[0] == 0
        manifest = json.loads((out / "cat2dog" / "manifest.json").read_text())
        hashes.append(manifest["training"]["config_sha256"])
        facts = json.loads((folder / "run" / "config.json").read_text())
        facts["config"] |= {"steps": 9, "seed": 7}
        (folder / "run" / "config.json").write_text(json.dumps(facts))
    assert hashes[0] is not None
    assert hashes[1] == hashes[0]
