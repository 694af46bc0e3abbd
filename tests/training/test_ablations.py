"""The ablations of the paper's table 1: one flag each, trained and exported."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.bundle.directory import read_bundle
from tests.training.command import SMALL, data_set
from training.cli import main
from training.config.run_config import from_mapping, load_preset, merged, presets
from training.methods.ugatit.ablations import ABLATIONS

Command = Callable[..., tuple[int, str]]
WITHOUT_DISCRIMINATOR_CAM = ("no-cam", "no-discriminator-cam")
WITHOUT_GENERATOR_CAM = ("no-cam", "no-generator-cam")
NORMALIZATIONS = ("in", "ln", "adain", "gn")
EXPORTED = ("gn", "no-cam", "no-generator-cam")
"""Ablations that are trained and exported here; tests/export checks the graphs of all."""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return data_set(tmp_path_factory.mktemp("pictures"))


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return a function that runs `ugatit-train` in this process; it returns exit code and standard error."""

    def call(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["ugatit-train", *map(str, arguments)])
        try:
            main()
        except SystemExit as exit_:
            return int(exit_.code or 0), capsys.readouterr().err
        return 0, capsys.readouterr().err

    return call


def small(preset: str) -> list[str]:
    return [f"--preset={preset}", *SMALL[1:]]


def export(command: Command, run: Path, out: Path, *more: str) -> tuple[int, str]:
    names = ("--a2b", "cat2dog", "--b2a", "dog2cat", "--only", "a2b")
    return command("export", run, *names, "--out", out, *more)


def fit(command: Command, pictures: Path, run: Path, *more: str) -> None:
    quick = ("--steps=2", "--set=tensorboard=false")
    assert command("fit", "--data", pictures, "--out", run, *small("paper"), *quick, *more) == (0, "")


@pytest.mark.parametrize("name", ABLATIONS)
def test_every_ablation_trains_with_one_flag(
    name: str, pictures: Path, tmp_path: Path, command: Command
) -> None:
    run = tmp_path / "run"
    fit(command, pictures, run, "--ablation", name)
    terms = json.loads((run / "stats.jsonl").read_text().splitlines()[-1])
    assert ("G_cam_A" in terms) is (name not in WITHOUT_GENERATOR_CAM)
    assert ("D_cam_GA" in terms) is ("G_cam_adv_LA" in terms) is (name not in WITHOUT_DISCRIMINATOR_CAM)
    written = json.loads((run / "config.json").read_text())["config"]["ugatit"]["generator"]
    assert written["normalization"] == (name if name in NORMALIZATIONS else "adalin")


@pytest.mark.parametrize("name", EXPORTED)
def test_a_bundle_names_its_ablation(name: str, pictures: Path, tmp_path: Path, command: Command) -> None:
    run, out = tmp_path / "run", tmp_path / "bundles"
    fit(command, pictures, run, "--ablation", name)
    if name in WITHOUT_DISCRIMINATOR_CAM:
        code, error = export(command, run, out, "--discriminators")
        assert code == 2
        assert "needs a CAM to show its attention, got cam = false" in error
    assert export(command, run, out) == (0, "")
    manifest = read_bundle(out / "cat2dog").manifest
    assert manifest.attention is (name not in WITHOUT_GENERATOR_CAM)
    assert manifest.architecture["normalization"] == (name if name in NORMALIZATIONS else "adalin")
    assert manifest.architecture["biases"] is True


@pytest.mark.parametrize("preset", presets())
@pytest.mark.parametrize("name", ABLATIONS)
def test_every_ablation_is_valid_with_every_preset(name: str, preset: str) -> None:
    from_mapping(merged(load_preset(preset), {"ugatit": ABLATIONS[name]}))


def test_the_paper_preset_trains_and_exports_with_discriminators(
    pictures: Path, tmp_path: Path, command: Command
) -> None:
    run = tmp_path / "run"
    fit(command, pictures, run)
    assert export(command, run, tmp_path / "bundles", "--discriminators") == (0, "")
    architecture: Any = read_bundle(tmp_path / "bundles" / "cat2dog").manifest.architecture
    assert architecture["smooth_rho"] is True
    assert architecture["discriminators"]["global"]["uneven_padding"] is True


def test_too_deep_a_discriminator_is_refused_before_pictures_are_read(
    tmp_path: Path, command: Command
) -> None:
    nowhere = tmp_path / "no-such-folder"
    code, error = command("fit", "--data", nowhere, "--out", tmp_path / "run", "--size", 64)
    assert code == 2
    assert error == (
        "ugatit-train: ugatit.global_discriminator.layers must be at most 6 for pictures of 64 px, got 7.\n"
    )
    assert not (tmp_path / "run").exists()


def test_a_setting_that_an_ablation_removed_cannot_be_set_again(tmp_path: Path, command: Command) -> None:
    again = "--set=ugatit.generator.smooth_rho=true"
    code, error = command(
        "fit", "--data", tmp_path, "--out", tmp_path / "run", "--preset=paper", "--ablation=in", again
    )
    assert code == 2
    assert "smooth_rho needs normalization adalin, got in; remove smooth_rho." in error
