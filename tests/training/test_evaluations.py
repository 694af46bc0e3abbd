"""A run that is evaluated while it trains: its curves, its best checkpoint, and the same run without it."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.making import Colours
from tests.training.command import SMALL, data_set, typed
from training.checkpoint.manifest import Manifest
from training.checkpoint.read import read_manifests
from training.evaluation.data import Pixels
from training.evaluation.extractor import FeatureArray

STEPS = 2
FLAGS = (
    *SMALL,
    "--batch=1",
    f"--steps={STEPS}",
    "--set=keep_last=9",
    "--set=stats_every=1",
    "--set=tensorboard=false",
)
EVERY = "--evaluate-every=1"
EXTRACTOR = "training.evaluation.in_training.choose_extractor"


class CountingColours(Colours):
    """Counts the pictures whose features were computed."""

    pictures = 0

    def features(self, pictures: Iterable[Pixels]) -> FeatureArray:
        rows = super().features(pictures)
        CountingColours.pictures += len(rows)
        return rows


@pytest.fixture(autouse=True)
def extractor(monkeypatch: pytest.MonkeyPatch) -> type[CountingColours]:
    """A quick extractor in the place of the real ones."""
    CountingColours.pictures = 0
    for place in (EXTRACTOR, "training.commands.evaluate.choose_extractor"):
        monkeypatch.setattr(place, lambda *_, **__: (CountingColours(), "A remark."))
    return CountingColours


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return data_set(tmp_path_factory.mktemp("data") / "data")


def fit(data: Path, run: Path, *flags: str) -> str:
    """Train a run, which must succeed; return what it printed."""
    code, out, error = typed("fit", "--data", data, "--out", run, *FLAGS, *flags)
    assert (code, error) == (0, "")
    return out


def manifests(run: Path) -> dict[int, Manifest]:
    return {manifest.step: manifest for _, manifest in read_manifests(run / "checkpoints")}


def evaluations(run: Path) -> dict[int, dict[str, Any]]:
    """The evaluations in `stats.jsonl` by step."""
    lines = [json.loads(line) for line in (run / "stats.jsonl").read_text().splitlines()]
    return {line["step"]: line["evaluation"] for line in lines if "evaluation" in line}


def trained_files(manifest: Manifest) -> dict[str, str]:
    """The hash of each file but `state.json`, which holds the config."""
    return {name: entry.sha256 for name, entry in manifest.files.items() if name != "state.json"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """A run that was never stopped."""
    run = tmp_path_factory.mktemp("whole") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EXTRACTOR, lambda *_, **__: (Colours(), "A remark."))
        fit(data, run, EVERY)
    return run


def test_averaged_weights_are_evaluated_as_the_command_does(tmp_path: Path, data: Path) -> None:
    run = tmp_path / "run"
    out = fit(data, run, EVERY)
    assert "the figures are KID-colours, which cannot be compared with KID" in out
    assert "step 1: KID-colours A2B " in out
    found = evaluations(run)
    assert list(found) == [1, 2]
    for step in (1, 2):
        file = tmp_path / f"{step}.json"
        assert typed("evaluate", run, "--data", data, "--json", file, "--step", step)[0] == 0
        rows = json.loads(file.read_text())["rows"]
        plain = {row["direction"]: row["value"] for row in rows if row["protocol"] == "plain"}
        values = found[step]["values"]
        assert {name: values[name] for name in plain} == pytest.approx(plain, abs=1e-3)
        assert values["mean"] == (values["A2B"] + values["B2A"]) / 2
        assert (found[step]["metric"], found[step]["extractor"]) == ("kid-colours", "colours")


def test_the_best_checkpoint_is_that_of_the_lowest_figure(tmp_path: Path, data: Path) -> None:
    run = tmp_path / "run"
    fit(data, run, EVERY, "--steps=3", "--set=keep_last=1", "--set=average_decay=0")
    means = {step: each["values"]["mean"] for step, each in evaluations(run).items()}
    best = min(means, key=lambda step: (means[step], -step))
    latest = json.loads((run / "latest.json").read_text())
    assert latest["best"]["step"] == best
    assert latest["best"]["figure"]["value"] == means[best]
    assert manifests(run).keys() == {best, 3}
    assert typed("report", run)[0] == 0
    page = (run / "report.html").read_text()
    assert "Best KID-colours" in page
    assert f"{means[best]:.4f}" in page
    assert "<h2>Evaluation</h2>" in page


@pytest.mark.parametrize("average", ["0.999", "0"])
def test_evaluations_do_not_change_what_a_run_learns(tmp_path: Path, data: Path, average: str) -> None:
    flags = (f"--set=average_decay={average}", "--save-every=1")
    fit(data, tmp_path / "without", *flags)
    fit(data, tmp_path / "with", *flags, EVERY)
    without, evaluated = manifests(tmp_path / "without"), manifests(tmp_path / "with")
    assert without.keys() == evaluated.keys() == {1, 2}
    for step in without:
        assert trained_files(without[step]) == trained_files(evaluated[step])
        assert without[step].score == evaluated[step].score
        assert without[step].figure is None
        assert evaluated[step].figure is not None


def test_features_of_the_test_pictures_are_computed_once(
    tmp_path: Path, data: Path, extractor: type[CountingColours]
) -> None:
    fit(data, tmp_path / "run", EVERY)
    assert extractor.pictures == 4 + 2 * 4  # the 4 test pictures, and their translations at both steps


class KilledError(Exception):
    """In the place of a kill."""


@pytest.mark.parametrize("when", ["before the line", "before the figure"])
@pytest.mark.parametrize("step", [1, 2])
def test_a_run_killed_in_an_evaluation_ends_with_the_same_checkpoints(
    tmp_path: Path, data: Path, whole: Path, monkeypatch: pytest.MonkeyPatch, when: str, step: int
) -> None:
    killed = tmp_path / "killed"
    place = {
        "before the line": "training.run.evaluations.Evaluations._translators",
        "before the figure": "training.run.evaluations.record_figure",
    }[when]

    def kill(*_: object) -> None:
        if len(manifests(killed)) == step:
            raise KilledError

    with monkeypatch.context() as patch:
        original = _resolve(place)
        patch.setattr(place, lambda *values: kill() or original(*values))
        with pytest.raises(KilledError):
            typed("fit", "--data", data, "--out", killed, *FLAGS, EVERY)
    assert manifests(killed)[step].figure is None
    code, _, error = typed("resume", killed)
    assert (code, error) == (0, "")
    assert manifests(killed) == manifests(whole)
    assert _values(killed) == _values(whole)
    assert "is finished" in typed("resume", killed)[1]


def _resolve(place: str) -> Any:
    from training.run import evaluations as module

    found: Any = module
    for name in place.removeprefix("training.run.evaluations.").split("."):
        found = getattr(found, name)
    return found


def test_a_stop_signal_ends_an_evaluation_which_resume_repeats(
    tmp_path: Path, data: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = tmp_path / "stopped"
    computed = CountingColours.features

    def stop_in_the_first_evaluation(self: CountingColours, pictures: Iterable[Pixels]) -> FeatureArray:
        if manifests(stopped):
            os.kill(os.getpid(), signal.SIGTERM)
        return computed(self, pictures)

    with monkeypatch.context() as patch:
        patch.setattr(CountingColours, "features", stop_in_the_first_evaluation)
        out = fit(data, stopped, EVERY)
    assert "Stopped at step 1; continue with ugatit-train resume" in out
    assert manifests(stopped)[1].figure is None
    assert typed("resume", stopped)[0] == 0
    assert manifests(stopped) == manifests(whole)


def _values(run: Path) -> dict[int, Any]:
    return {step: each["values"] for step, each in evaluations(run).items()}


def test_a_picture_that_disappears_costs_a_warning_and_no_run(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied, run = tmp_path / "data", tmp_path / "run"
    shutil.copytree(data, copied)
    from training.evaluation import in_training

    original = in_training.open_evaluator

    def open_then_remove(*values: Any) -> Any:
        evaluator = original(*values)
        next((copied / "testA").iterdir()).unlink()
        return evaluator

    monkeypatch.setattr("training.commands.train.open_evaluator", open_then_remove)
    monkeypatch.setattr("training.run.fit._sample_pictures", lambda *_: {})
    out = fit(copied, run, EVERY)
    assert "Warning: step 1 could not be evaluated: " in out
    assert manifests(run).keys() == {1, 2}


def test_an_impossible_evaluation_is_one_sentence_before_the_run_starts(tmp_path: Path, data: Path) -> None:
    copied, run = tmp_path / "data", tmp_path / "run"
    shutil.copytree(data, copied)
    for picture in sorted((copied / "testB").iterdir())[1:]:
        picture.unlink()
    code, _, error = typed("fit", "--data", copied, "--out", run, *FLAGS, EVERY)
    assert (code, error.count("\n")) == (2, 1)
    assert "needs at least 2 readable pictures in" in error
    assert "with evaluate_every=0 the run is not evaluated" in error
    assert not run.exists()
    fit(copied, run)  # without an evaluation one picture is enough


def test_a_negative_interval_is_one_sentence(tmp_path: Path, data: Path) -> None:
    code, _, error = typed("fit", "--data", data, "--out", tmp_path / "run", *FLAGS, "--evaluate-every=-1")
    assert (code, error.count("\n")) == (2, 1)
    assert "evaluate_every must be at least 0, got -1." in error
