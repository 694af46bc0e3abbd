"""Runs: what they leave behind, and that nothing is ever lost or done differently for being interrupted."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

import pytest
import torch
from PIL import Image

from models.bundle.directory import read_bundle
from tests.golden.reading import checkpoint
from tests.training.command import SMALL, data_set, start, typed, wait_for
from training.checkpoint.content import digest
from training.checkpoint.read import load, load_newest
from training.config.run_config import merged

STEPS = 20
FIT = (*SMALL, f"--steps={STEPS}", "--save-every=10", "--set=stats_every=5", "--set=tensorboard=false")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return data_set(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="module")
def whole(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody interrupted."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    code, _, error = typed("fit", "--data", pictures, "--out", run, *FIT)
    assert (code, error) == (0, "")
    return run


def steps_of(run: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (run / "stats.jsonl").read_text().splitlines()]


def test_a_run_leaves_checkpoints_config_numbers_and_samples(whole: Path) -> None:
    assert sorted(path.name for path in (whole / "checkpoints").iterdir()) == ["00000010", "00000020"]
    assert list((whole / "checkpoints" / "00000020").glob("*.safetensors"))
    assert json.loads((whole / "config.json").read_text())["config"]["batch"] == 2
    assert steps_of(whole) == [5, 10, 15, 20]
    last = json.loads((whole / "stats.jsonl").read_text().splitlines()[-1])
    assert last["G_cycle_A"] > 0
    sheets = {path.name for path in (whole / "samples").glob("00000020-*")}
    shown = ("test", "train", "generator", "local", "global")
    assert sheets == {f"00000020-{direction}-{name}.jpg" for direction in ("A2B", "B2A") for name in shown}
    with Image.open(whole / "samples" / "00000020-A2B-test.jpg") as sheet:
        assert sheet.width >= 10 * 32


def test_kill_9_and_resume_end_in_the_same_state(whole: Path, pictures: Path, tmp_path: Path) -> None:
    run = tmp_path / "killed"
    process = start("fit", "--data", pictures, "--out", run, *FIT)
    wait_for(run / "checkpoints" / "00000010", process)
    process.kill()
    process.communicate()
    assert load_newest(run / "checkpoints")[0].step == 10
    code, out, _ = typed("resume", run)
    assert code == 0
    assert "Resuming from step 10" in out
    assert digest(load_newest(run / "checkpoints")[0]) == digest(load(whole / "checkpoints" / "00000020"))
    assert steps_of(run) == steps_of(whole)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_exits_cleanly(
    whole: Path, pictures: Path, tmp_path: Path, number: signal.Signals
) -> None:
    run = tmp_path / "stopped"
    process = start("fit", "--data", pictures, "--out", run, *FIT)
    wait_for(run / "stats.jsonl", process)
    process.send_signal(number)
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    assert "continue with ugatit-train resume" in " ".join(out.split())
    stopped = load_newest(run / "checkpoints")[0].step
    assert 5 <= stopped < STEPS
    assert typed("resume", run)[0] == 0
    assert digest(load_newest(run / "checkpoints")[0]) == digest(load(whole / "checkpoints" / "00000020"))


def test_resume_reports_a_finished_run(whole: Path) -> None:
    code, out, _ = typed("resume", whole)
    assert code == 0
    assert "is finished after 20 steps" in " ".join(out.split())


def test_a_run_without_recorded_compute_settings_resumes(whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "early"
    shutil.copytree(whole, run)
    facts = json.loads((run / "config.json").read_text())
    del facts["speed"], facts["config"]["speed"]
    facts["config"]["steps"] = STEPS + 1
    (run / "config.json").write_text(json.dumps(facts))
    code, out, error = typed("resume", run)
    assert (code, error) == (0, "")
    assert "Compute settings changed since the run started: " in out
    assert "channels_last off -> on" in out
    assert load_newest(run / "checkpoints")[0].step == STEPS + 1


def test_a_run_resumes_in_another_precision_and_reports_it(whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    facts = json.loads((run / "config.json").read_text())
    before, other = facts["speed"]["precision"], "bfloat16"
    if before == other:
        other = "float32"
    facts["config"]["steps"] = STEPS + 1
    (run / "config.json").write_text(json.dumps(facts))
    code, out, error = typed("resume", run, f"--precision={other}")
    said = " ".join(out.split())
    assert (code, error) == (0, "")
    assert f"Computing on cpu: {other}" in said
    assert f"Compute settings changed since the run started: precision {before} -> {other}" in said


def edited(run: Path, copy: Path, **changes: object) -> Path:
    """A copy of a run whose config somebody has changed."""
    shutil.copytree(run, copy)
    facts = json.loads((copy / "config.json").read_text())
    facts["config"] = merged(facts["config"], changes)
    (copy / "config.json").write_text(json.dumps(facts))
    return copy


@pytest.mark.parametrize("command", [("resume",), ("export", "--a2b=cat2dog", "--out=nowhere")])
def test_networks_that_were_changed_after_the_start_are_one_sentence(
    whole: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    changes = {"steps": STEPS + 1, "ugatit": {"generator": {"blocks": 3}}}
    code, _, error = typed(*command, edited(whole, tmp_path / "run", **changes))
    assert code == 2
    assert "The checkpoint of step 20 does not fit this run: expected " in error
    assert " of genA2B to be " in error
    assert error.count("\n") == 1


def test_config_changes_are_reported_and_applied(whole: Path, tmp_path: Path) -> None:
    changes = {"steps": STEPS + 1, "seed": 7, "ugatit": {"weight_decay": 0.5}}
    run = edited(whole, tmp_path / "run", **changes)
    code, out, error = typed("resume", run)
    assert (code, error) == (0, "")
    told = [line for line in out.splitlines() if line.startswith("Config changed since the checkpoint")]
    assert told == [
        "Config changed since the checkpoint: steps was 20 and is 21.",
        "Config changed since the checkpoint: seed was 0 and is 7.",
        "Config changed since the checkpoint: ugatit.weight_decay was 0.0001 and is 0.5.",
    ]
    groups = load_newest(run / "checkpoints")[0].scalars["optimizers"]["generators"]["groups"]
    assert [group["weight_decay"] for group in groups] == [0.5]


def test_an_average_can_start_in_the_middle_of_a_run(pictures: Path, tmp_path: Path) -> None:
    run, short = tmp_path / "run", ("--steps=1", "--set=average_decay=0", "--set=tensorboard=false")
    assert typed("fit", "--data", pictures, "--out", run, *SMALL, *short)[0] == 0
    code, _, error = typed("resume", edited(run, tmp_path / "averaged", steps=2, average_decay=0.5))
    assert (code, error) == (0, "")
    before, after = load_newest(run / "checkpoints")[0], load_newest(tmp_path / "averaged" / "checkpoints")[0]
    assert "average" not in before.tensors
    for name, averaged in after.tensors["average"].items():
        own = (weights.tensors["networks"][name] for weights in (before, after))
        torch.testing.assert_close(averaged, sum(own) / 2)


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_is_used(whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "damaged"
    shutil.copytree(whole, run)
    damaged = run / "checkpoints" / "00000020" / "networks.safetensors"
    data = bytearray(damaged.read_bytes())
    data[-1] ^= 1
    damaged.write_bytes(data)
    code, out, _ = typed("resume", run)
    said = " ".join(out.split())
    assert code == 0
    assert "Skipped 00000020:" in said
    assert "Resuming from step 10" in said
    assert digest(load_newest(run / "checkpoints")[0]) == digest(load(whole / "checkpoints" / "00000020"))


def test_export_writes_bundles_of_the_averaged_weights(whole: Path, tmp_path: Path) -> None:
    names = ("--a2b", "cat2dog", "--b2a", "dog2cat", "--only", "a2b")
    assert typed("export", whole, *names, "--out", tmp_path / "averaged", "--discriminators")[0] == 0
    assert typed("export", whole, *names, "--out", tmp_path / "raw", "--raw", "--steps=13700")[0] == 0
    averaged, raw = (read_bundle(tmp_path / kind / "cat2dog") for kind in ("averaged", "raw"))
    assert (averaged.manifest.training.steps, raw.manifest.training.steps) == (STEPS, 13_700)
    assert averaged.manifest.training.config_sha256 is not None
    assert averaged.files["generator.onnx"] != raw.files["generator.onnx"]
    assert averaged.manifest.discriminators


def test_export_can_choose_the_checkpoint_of_a_step_or_the_best(whole: Path, tmp_path: Path) -> None:
    best = json.loads((whole / "latest.json").read_text())["best"]["step"]
    for flags, step in ((["--step=10"], 10), (["--best"], best)):
        out = tmp_path / flags[0]
        code, told, _ = typed("export", whole, "--a2b=cat2dog", "--out", out, *flags)
        assert code == 0
        assert f"Exporting step {step} of " in told
        assert read_bundle(out / "cat2dog").manifest.training.steps == step


@pytest.mark.parametrize(
    ("directions", "written"),
    [(["cat2dog"], {"cat2dog"}), (["cat2dog", "dog2cat"], {"cat2dog", "dog2cat"})],
)
def test_the_first_direction_means_a2b_and_the_second_b2a(
    whole: Path, tmp_path: Path, directions: list[str], written: set[str]
) -> None:
    flags = [f"--direction={name}" for name in directions]
    assert typed("export", whole, *flags, "--out", tmp_path / "out")[0] == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == written


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ([], "Name a direction"),
        (["--direction=cat2dog", "--b2a=dog2cat"], "--direction means --a2b"),
        (["--a2b=cat2dog", "--only=b2a"], "--only b2a needs --b2a; name that direction"),
        (["--a2b=cat2dog", "--best", "--step=10"], "--best and --step each choose a checkpoint"),
        (["--a2b=cat2dog", "--step=11"], "has no checkpoint of step 11; it has those of steps 10 and 20."),
    ],
)
def test_an_export_without_or_with_equal_directions_is_one_sentence(
    whole: Path, flags: list[str], says: str
) -> None:
    code, _, error = typed("export", whole, *flags)
    assert code == 2
    assert says in error


def test_pictures_that_differ_from_those_of_the_start_are_refused(pictures: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(pictures, mine)
    run = tmp_path / "run"
    assert typed("fit", "--data", mine, "--out", run, *SMALL, "--steps=2", "--save-every=1")[0] == 0
    (mine / "trainA" / "0.png").unlink()
    shutil.copy(mine / "trainB" / "0.png", mine / "trainB" / "1.png")
    code, _, error = typed("resume", run, "--steps=4")
    assert (code, error.count("\n")) == (2, 1)
    assert "1 missing or unreadable (trainA/0.png); 1 changed (trainB/1.png); restore them" in error


def test_a_run_can_start_from_an_official_checkpoint(pictures: Path, tmp_path: Path) -> None:
    official = (
        "--preset=light",
        "--size=128",
        "--channels=4",
        "--steps=1",
        "--set=ugatit.generator.blocks=2",
        f"--init={checkpoint('light')}",
    )
    code, _, error = typed("fit", "--data", pictures, "--out", tmp_path / "run", *official)
    assert (code, error) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--preset=none",), "Unknown preset 'none'; the presets are author, common, cpu-demo"),
        (("--set=steps",), "--set needs NAME=VALUE, such as batch=4, got steps."),
        (("--set=stps=4",), "Unknown config key 'stps'; did you mean 'steps'?"),
        (("--steps=0",), "must be at least 1"),
        (("--data=nowhere",), "nowhere"),
    ],
)
def test_a_mistake_is_one_line_and_makes_no_folder(
    pictures: Path, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    code, _, error = typed("fit", "--data", pictures, "--out", tmp_path / "run", *SMALL, *arguments)
    assert code == 2
    assert says in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_folder_that_is_not_empty_is_refused_and_unchanged(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    code, _, error = typed("fit", "--data", pictures, "--out", tmp_path, *SMALL, "--steps=1")
    assert code == 2
    assert "is not empty" in error
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_that_is_not_a_run_cannot_be_resumed(tmp_path: Path) -> None:
    code, _, error = typed("resume", tmp_path)
    assert code == 2
    assert "is not a run: it has no readable config.json" in error


@pytest.mark.parametrize("junk", [b"\xff", b"[]", b'{"data": "", "fingerprint": "", "config": []}'])
def test_a_folder_with_another_config_json_cannot_be_resumed(tmp_path: Path, junk: bytes) -> None:
    (tmp_path / "config.json").write_bytes(junk)
    code, _, error = typed("resume", tmp_path)
    assert (code, error.count("\n")) == (2, 1)
    assert "is not a run: it has no readable config.json" in error


def test_a_run_without_a_checkpoint_explains_what_to_do(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((whole / "config.json").read_bytes())
    code, _, error = typed("resume", tmp_path)
    assert (code, error.count("\n")) == (2, 1)
    assert "because it ended before its first one; delete it and start again with ugatit-train fit" in error


def test_data_check_reports_a_data_set(pictures: Path) -> None:
    code, out, _ = typed("data", "check", pictures)
    assert code == 0
    assert "trainA" in out
