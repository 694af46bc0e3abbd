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
from training.config.ablations import ABLATIONS
from training.config.run_config import from_mapping, load_preset, merged, presets

Command = Callable[..., tuple[int, str]]
WITHOUT_JUDGES_CAM = ("no-cam", "no-discriminator-cam")
WITHOUT_GENERATORS_CAM = ("no-cam", "no-generator-cam")
NORMALIZATIONS = ("in", "ln", "adain", "gn")
EXPORTED = ("gn", "no-cam", "no-generator-cam")
"""The graphs of all are proved in tests/export; these go the whole way."""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return data_set(tmp_path_factory.mktemp("pictures"))


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run `ugatit-train` in this process; the exit code and what it said on standard error."""

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


def learn(command: Command, pictures: Path, run: Path, *more: str) -> None:
    quick = ("--steps=2", "--set=tensorboard=false")
    assert command("fit", "--data", pictures, "--out", run, *small("paper"), *quick, *more) == (0, "")


@pytest.mark.parametrize("name", ABLATIONS)
def test_an_ablation_is_one_flag_and_trains(
    name: str, pictures: Path, tmp_path: Path, command: Command
) -> None:
    run = tmp_path / "run"
    learn(command, pictures, run, "--ablation", name)
    terms = json.loads((run / "stats.jsonl").read_text().splitlines()[-1])
    assert ("G_cam_A" in terms) is (name not in WITHOUT_GENERATORS_CAM)
    assert ("D_cam_GA" in terms) is ("G_cam_adv_LA" in terms) is (name not in WITHOUT_JUDGES_CAM)
    written = json.loads((run / "config.json").read_text())["config"]["ugatit"]["generator"]
    assert written["normalization"] == (name if name in NORMALIZATIONS else "adalin")


@pytest.mark.parametrize("name", EXPORTED)
def test_an_ablation_is_exported_as_what_it_is(
    name: str, pictures: Path, tmp_path: Path, command: Command
) -> None:
    run, out = tmp_path / "run", tmp_path / "bundles"
    learn(command, pictures, run, "--ablation", name)
    if name in WITHOUT_JUDGES_CAM:
        code, error = export(command, run, out, "--discriminators")
        assert code == 2
        assert "needs a CAM to show its attention, got cam = false" in error
    assert export(command, run, out) == (0, "")
    manifest = read_bundle(out / "cat2dog").manifest
    assert manifest.attention is (name not in WITHOUT_GENERATORS_CAM)
    assert manifest.architecture["normalization"] == (name if name in NORMALIZATIONS else "adalin")
    assert manifest.architecture["biases"] is True


@pytest.mark.parametrize("preset", presets())
@pytest.mark.parametrize("name", ABLATIONS)
def test_an_ablation_of_any_preset_is_a_config(name: str, preset: str) -> None:
    from_mapping(merged(load_preset(preset), {"ugatit": ABLATIONS[name]}))


def test_the_paper_s_preset_trains_and_is_exported_with_its_judges(
    pictures: Path, tmp_path: Path, command: Command
) -> None:
    run = tmp_path / "run"
    learn(command, pictures, run)
    assert export(command, run, tmp_path / "bundles", "--discriminators") == (0, "")
    architecture: Any = read_bundle(tmp_path / "bundles" / "cat2dog").manifest.architecture
    assert architecture["smooth_rho"] is True
    assert architecture["discriminators"]["global"]["uneven_padding"] is True


def test_a_discriminator_too_deep_is_told_before_any_picture_is_looked_for(
    tmp_path: Path, command: Command
) -> None:
    nowhere = tmp_path / "no-such-folder"
    code, error = command("fit", "--data", nowhere, "--out", tmp_path / "run", "--size", 64)
    assert code == 2
    assert error == (
        "ugatit-train: ugatit.global_discriminator.layers is 7, which leaves nothing to judge of pictures of "
        "64 px; the deepest discriminator that fits has 6.\n"
    )
    assert not (tmp_path / "run").exists()


def test_a_switch_that_an_ablation_made_void_cannot_be_turned_on_again(
    tmp_path: Path, command: Command
) -> None:
    again = "--set=ugatit.generator.smooth_rho=true"
    code, error = command(
        "fit", "--data", tmp_path, "--out", tmp_path / "run", "--preset=paper", "--ablation=in", again
    )
    assert code == 2
    assert "smooth_rho needs normalization adalin, got in; remove smooth_rho." in error
