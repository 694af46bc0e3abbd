"""Runs on data with flat pictures: they train, stop, resume and report without a value that is not finite."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.command import SMALL, data_set, typed
from tests.training.flat import flatten
from training.checkpoint.content import Checkpoint, digest
from training.checkpoint.read import load
from training.checkpoint.write import save

FIT = (
    *SMALL,
    "--batch=1",
    "--steps=12",
    "--save-every=4",
    "--set=stats_every=4",
    "--set=tensorboard=false",
    "--precision=float32",
)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = data_set(tmp_path_factory.mktemp("pictures"))
    flatten(folder, "trainA/blank.png", "testA/blank.png")
    return folder


@pytest.fixture(scope="module")
def whole(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run of two epochs of trainA, and what it printed."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    code, out, error = typed("fit", "--data", pictures, "--out", run, *FIT)
    assert (code, error) == (0, "")
    return run, out


def lines_of(run: Path) -> list[dict[str, Any]]:
    """The lines of stats.jsonl, which must be JSON: NaN and Infinity are none."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return [
        json.loads(line, parse_constant=refuse) for line in (run / "stats.jsonl").read_text().splitlines()
    ]


def all_finite(checkpoint: Checkpoint) -> bool:
    return all(
        not value.is_floating_point() or bool(value.isfinite().all())
        for group in checkpoint.tensors.values()
        for value in group.values()
    )


def test_a_flat_picture_is_named_in_the_console_and_in_stats(whole: tuple[Path, str]) -> None:
    run, out = whole
    skipped = [step for line in lines_of(run) for step in line.get("skipped", [])]
    count = len(skipped)
    assert 1 <= count <= 3  # the picture comes twice or three times
    assert all("trainA/blank.png" in step["pictures"] for step in skipped)
    assert skipped[0]["not_finite"] == {"generators": ["gradients"]}
    assert lines_of(run)[-1]["skips"] == {"generators": count, "discriminators": 0}
    assert f"Warning: step {skipped[0]['step']} skipped an update that was not finite" in out
    assert "its pictures were trainA/blank.png, trainB/" in out
    assert f", {count} skipped, " in out


def test_nothing_that_the_run_leaves_holds_a_value_that_is_not_finite(whole: tuple[Path, str]) -> None:
    run, _ = whole
    folders = sorted((run / "checkpoints").iterdir())
    assert len(folders) == 3
    assert all(all_finite(load(folder)) for folder in folders)
    assert all("G_cycle_A" in line for line in lines_of(run))


def test_the_report_counts_skipped_updates_and_names_the_picture_of_all_of_them(
    whole: tuple[Path, str], tmp_path: Path
) -> None:
    assert typed("report", whole[0], "--out", tmp_path / "report.html")[0] == 0
    page = (tmp_path / "report.html").read_text()
    count = lines_of(whole[0])[-1]["skips"]["generators"]
    assert f"<dt>Skipped updates</dt><dd>{count}</dd>" in page
    assert f"<td>trainA/blank.png</td><td>{count} of {count}</td>" in page


def test_a_run_that_skips_resumes_bit_for_bit(whole: tuple[Path, str], tmp_path: Path) -> None:
    run = tmp_path / "resumed"
    shutil.copytree(whole[0], run)
    for later in ("00000008", "00000012"):
        shutil.rmtree(run / "checkpoints" / later)
    code, _, error = typed("resume", run)
    assert (code, error) == (0, "")
    found, expected = (load(each / "checkpoints" / "00000012") for each in (run, whole[0]))
    assert found.scalars["skips"]["generators"]["total"] >= 1
    assert digest(found) == digest(expected)
    times = ("seconds", "data_seconds", "images_per_second")
    stats = [
        [{name: value for name, value in line.items() if name not in times} for line in lines_of(each)]
        for each in (run, whole[0])
    ]
    assert stats[0] == stats[1]


def test_too_many_skipped_in_a_row_stop_the_run_with_a_sentence(tmp_path: Path) -> None:
    folder, run = data_set(tmp_path / "data"), tmp_path / "run"
    strict = ("--set=guard.most_skipped_in_a_row=3", "--set=guard.largest_gradient_norm=1e-9")
    code, _, error = typed("fit", "--data", folder, "--out", run, *FIT, "--save-every=2", *strict)
    assert code == 2
    assert error.startswith(
        "ugatit-train: Stopped at step 3: the last 3 updates of the generators were skipped"
    )
    assert "trainB/" in error
    assert error.count("\n") == 1
    assert [path.name for path in (run / "checkpoints").iterdir()] == ["00000002"]
    assert [line["step"] for line in lines_of(run)] == [2, 3]
    # The count is part of the state: one more skipped update after step 2 is the third in a row.
    code, _, again = typed("resume", run)
    assert (code, again) == (2, error)


def with_nan(run: Path, step: int) -> None:
    """Put a checkpoint of NaN, such as early versions wrote, in the place of a good one."""
    folder = run / "checkpoints" / f"{step:08d}"
    found = load(folder)
    networks = found.tensors["networks"]
    # Of a discriminator: a generator's own weights are not read where there is an average of them.
    networks[min(name for name in networks if name.startswith("dis"))].fill_(torch.nan)
    shutil.rmtree(folder)
    save(run / "checkpoints", found, score=0.0)


def test_resume_skips_checkpoints_with_nan_and_replaces_them(whole: tuple[Path, str], tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole[0], run)
    with_nan(run, 8)
    with_nan(run, 12)
    code, out, error = typed("resume", run)
    assert (code, error) == (0, "")
    said = " ".join(out.split())
    assert "Skipped 00000012:" in said
    assert "holds values that are not finite, in networks/" in said
    assert "Resuming from step 4." in said
    found, expected = (load(each / "checkpoints" / "00000012") for each in (run, whole[0]))
    assert digest(found) == digest(expected)
    assert all(all_finite(load(folder)) for folder in (run / "checkpoints").iterdir())


def test_non_finite_weights_are_refused_as_init(
    whole: tuple[Path, str], pictures: Path, tmp_path: Path
) -> None:
    shutil.copytree(whole[0], tmp_path / "bad")
    with_nan(tmp_path / "bad", 12)
    start = tmp_path / "bad" / "checkpoints" / "00000012"
    code, _, error = typed("fit", "--data", pictures, "--out", tmp_path / "run", *FIT, f"--init={start}")
    assert (code, error.count("\n")) == (2, 1)
    assert "has values that are not finite" in error
    assert not (tmp_path / "run").exists()
