"""`ugatit-train ablate`: equal steps for every variant by turns, stopped and continued; refusals."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.making import Colours
from tests.training.command import data_set, start, typed, wait_for
from training.ablation.folder import AblationFolder
from training.ablation.turns import Turns
from training.ablation.variants import list_variants, title
from training.checkpoint.folders import folder_of
from training.methods.finite_updates import NonFiniteError
from training.methods.ugatit.ablations import ABLATIONS
from training.run.fit import start_run
from training.run_folder.folder import RunFolder
from training.run_folder.lock import locked

TINY = (
    "--preset=cpu-demo",
    "--set=ugatit.weights.feature=0",
    "--set=ugatit.weights.nce=0",
    "--size=16",
    "--channels=2",
    "--set=ugatit.generator.blocks=1",
    "--set=ugatit.global_discriminator.layers=4",
    "--set=ugatit.local_discriminator.layers=3",
    "--set=data.resize_margin=2",
    "--set=data.workers=0",
    "--set=tensorboard=false",
)
STEPS = ("--steps=4", "--save-every=2")


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the full model and two of its variants."""
    _only_three(monkeypatch)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return data_set(tmp_path_factory.mktemp("data") / "cat2dog")


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished ablation of three variants."""
    out = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patched:
        _only_three(patched)
        assert ablate(data, out, *STEPS)[0] == 0
    return out


def _only_three(patched: pytest.MonkeyPatch) -> None:
    patched.setattr("training.commands.ablate.choose_extractor", lambda *_, **__: (Colours(), None))
    few = {name: ABLATIONS[name] for name in ("in", "no-cam")}
    patched.setattr("training.ablation.variants.ABLATIONS", few)


def ablate(data: Path, out: Path, *more: str) -> tuple[int, str, str]:
    return typed("ablate", "--data", data, "--out", out, *TINY, *more)


def refusal(data: Path, out: Path, *more: str) -> str:
    """The one sentence of a command that is refused."""
    code, _, error = ablate(data, out, *more)
    assert (code, error.count("\n")) == (2, 1), error
    return error


def steps_done(out: Path) -> dict[str, int]:
    folder = AblationFolder(out)
    return {each.folder: folder.steps_done(each) for each in folder.read_plan().variants}


def weights(out: Path, name: str, step: int) -> dict[str, bytes]:
    """Every file of a checkpoint, except the manifest, which names the time and the folder."""
    folder = folder_of(out / name / "checkpoints", step)
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name != "manifest.json"}


def stop_after(monkeypatch: pytest.MonkeyPatch, turns: int, stop: Callable[[], None]) -> None:
    """Call `stop` at the start of the turn after so many."""
    count = 0
    announce = Turns._announce

    def counting(*arguments: object) -> None:
        nonlocal count
        if count == turns:
            stop()
        count += 1
        announce(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Turns, "_announce", counting)


def test_the_variants_are_the_rows_of_the_papers_table_and_further_seeds_of_the_full_model() -> None:
    variants = list_variants(3, seeds=3)
    assert [each.folder for each in variants] == [
        "full", "in", "ln", "adain", "gn", "no-cam", "no-generator-cam", "no-discriminator-cam",
        "full-seed-4", "full-seed-5",
    ]  # fmt: skip
    assert [each.seed for each in variants] == [3] * 8 + [4, 5]
    assert len({title(each) for each in variants}) == 10


def test_minutes_give_every_variant_the_steps_that_the_slowest_can_have(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, three: None
) -> None:
    from training.plan.machine_speed import MeasuredSteps

    seconds = iter((0.5, 2.0, 1.0))
    monkeypatch.setattr(
        "training.ablation.budget.measure_steps", lambda *_, **__: MeasuredSteps(next(seconds), 0)
    )
    monkeypatch.setattr(Turns, "train", lambda *_: None)
    ablate(data, tmp_path, "--minutes=2")
    plan = AblationFolder(tmp_path).read_plan()
    assert plan.config.steps == 20  # 120 s for 3 runs of 2 s a step
    assert plan.config.save_every == 4


def test_a_killed_ablation_continues_where_it_was_bit_for_bit(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, three: None, whole: Path
) -> None:
    def kill() -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        stop_after(patched, 2, kill)
        with pytest.raises(MemoryError):
            ablate(data, tmp_path / "killed", *STEPS)
    assert steps_done(tmp_path / "killed") == {"full": 2, "in": 2, "no-cam": 0}
    (tmp_path / "killed" / "no-cam" / "samples").mkdir(parents=True)  # killed before its first checkpoint
    code, out, error = ablate(data, tmp_path / "killed", *STEPS)
    assert (code, error) == (0, "")
    assert "Turn 1 of 2, run 3 of 3, U-GAT-IT without CAM: steps 1 to 2 of 4" in out
    for name in ("full", "in", "no-cam"):
        assert weights(tmp_path / "killed", name, 4) == weights(whole, name, 4)


def test_a_stop_signal_saves_and_ends_the_command_even_at_the_last_step_of_a_turn(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, three: None
) -> None:
    from training.journal.journal import Journal

    note = Journal.note

    def signalled(journal: Journal, step: int, *arguments: object, **named: object) -> None:
        note(journal, step, *arguments, **named)  # type: ignore[arg-type]
        if step == 2:
            signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "note", signalled)
        code, out, _ = ablate(data, tmp_path, *STEPS)
    assert code == 0
    assert "the same command continues the ablation" in out
    assert steps_done(tmp_path) == {"full": 2, "in": 0, "no-cam": 0}
    assert ablate(data, tmp_path, *STEPS)[0] == 0
    assert set(steps_done(tmp_path).values()) == {4}


def test_a_second_process_trains_the_variants_that_the_first_does_not(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, three: None
) -> None:
    def interrupt() -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        stop_after(patched, 0, interrupt)
        with pytest.raises(MemoryError):
            ablate(data, tmp_path, *STEPS)
    with locked(tmp_path / ".turns" / "full"):  # as the first process holds it
        code, out, error = ablate(data, tmp_path, *STEPS)
    assert (code, error) == (0, "")
    assert steps_done(tmp_path) == {"full": 0, "in": 4, "no-cam": 4}
    assert "Another process trains U-GAT-IT; it writes the results when it ends." in out


def test_a_variant_whose_updates_are_not_finite_is_left_out_and_the_others_are_trained(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, three: None
) -> None:
    def start_unless_in(run: RunFolder, *arguments: Any, **named: Any) -> None:
        if run.path.name == "in":
            raise NonFiniteError("Stopped at step 2.")
        start_run(run, *arguments, **named)

    monkeypatch.setattr("training.ablation.turns.start_run", start_unless_in)
    code, out, error = ablate(data, tmp_path, *STEPS)
    assert (code, error) == (0, "")
    assert "U-GAT-IT with IN only is left out. Stopped at step 2." in out
    assert steps_done(tmp_path) == {"full": 4, "in": 0, "no-cam": 4}
    assert "U-GAT-IT with IN only: not measured" in (tmp_path / "table.md").read_text()


def test_each_variant_is_an_ordinary_run(whole: Path, tmp_path: Path) -> None:
    assert typed("report", whole / "in")[0] == 0
    names = ("--a2b", "cat2dog", "--b2a", "dog2cat", "--only", "a2b", "--out", tmp_path / "bundles")
    assert typed("export", whole / "no-cam", *names)[0] == 0
    code, out, _ = typed("resume", whole / "full")
    assert (code, "is finished after 4 steps" in out) == (0, True)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ("--seeds=2", "seeds was 1 and is 2"),
        ("--seed=7", "config.seed was 0 and is 7"),
        ("--steps=6", "steps was 4 and is 6"),
        ("--set=ugatit.learning_rate=0.1", "config.ugatit.learning_rate was 0.0002 and is 0.1"),
    ],
)
def test_a_changed_option_is_refused_by_name_and_nothing_is_trained(
    changed: str, named: str, data: Path, started: Path
) -> None:
    before = steps_done(started)
    error = refusal(data, started, *STEPS, changed)
    assert f"was started with other options: {named}; give those of its start" in error
    assert steps_done(started) == before


@pytest.fixture(scope="module")
def started(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ablation that has a plan and no run."""
    out = tmp_path_factory.mktemp("started")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Turns, "train", lambda *_: None)
        ablate(data, out, *STEPS)
    return out


def test_a_variant_whose_config_was_changed_is_not_compared_with_the_others(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, three: None
) -> None:
    def stop() -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        stop_after(patched, 3, stop)
        with pytest.raises(MemoryError):
            ablate(data, tmp_path, *STEPS)
    facts = json.loads((tmp_path / "full" / "config.json").read_text())
    facts["config"]["steps"] = 2  # finished after its first turn
    (tmp_path / "full" / "config.json").write_text(json.dumps(facts))
    error = refusal(data, tmp_path, *STEPS)
    assert "full was changed since the ablation started: steps was 4 and is 2; restore" in error


def test_only_an_ablation_that_was_started_can_be_evaluated(data: Path, tmp_path: Path) -> None:
    assert "is not an ablation" in refusal(data, tmp_path / "out", *STEPS, "--evaluate-only")
    assert not (tmp_path / "out").exists()


def test_minutes_or_steps_are_required_and_not_both(data: Path, tmp_path: Path) -> None:
    for given in ((), ("--minutes=1", "--steps=1")):
        assert refusal(data, tmp_path / "out", *given) == (
            "ugatit-train: Give either --minutes or --steps.\n"
        )
    assert not (tmp_path / "out").exists()


def test_too_few_minutes_for_one_step_name_how_many_are_needed(data: Path, tmp_path: Path) -> None:
    error = refusal(data, tmp_path, "--minutes=0.00001")
    assert "--minutes must be at least 1 for one step of each of 8 runs" in error
    assert not (tmp_path / "ablation.json").exists()


def test_a_folder_with_other_files_is_refused_and_left_alone(data: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("precious")
    assert "is not empty" in refusal(data, tmp_path, *STEPS)
    assert (tmp_path / "full" / "thesis.txt").read_text() == "precious"


def test_a_file_as_the_folder_is_refused(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("precious")
    assert "--out needs a folder" in refusal(data, file, *STEPS)
    assert file.read_text() == "precious"


def test_a_data_set_without_test_pictures_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    data = data_set(tmp_path / "data")
    for picture in (data / "testB").iterdir():
        picture.unlink()
    assert "testB" in refusal(data, tmp_path / "out", *STEPS)
    assert not (tmp_path / "out").exists()


def test_a_damaged_plan_is_refused_with_a_sentence(data: Path, started: Path) -> None:
    plan = started / "ablation.json"
    whole = plan.read_text()
    try:
        for damaged in ("", "[]", json.dumps({"options": {}})):
            plan.write_text(damaged)
            assert "is not an ablation: ablation.json cannot be read" in refusal(data, started, *STEPS)
    finally:
        plan.write_text(whole)


def test_kill_9_loses_at_most_a_turn(data: Path, tmp_path: Path) -> None:
    process = start("ablate", "--data", data, "--out", tmp_path, *TINY, "--steps=2", "--save-every=1")
    wait_for(folder_of(tmp_path / "full" / "checkpoints", 1), process)
    process.kill()
    process.communicate()
    assert steps_done(tmp_path)["full"] == 1
