"""`ugatit-train compare`: equal updates for every method, one table, one gallery, bundles for a study."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.bundle.directory import read_bundle
from tests.evaluation.making import Colours
from tests.training.command import data_set, typed

TINY = (
    "--methods=cyclegan,ugatit",
    "--size=32",
    "--channels=2",
    "--set=ugatit.generator.blocks=1",
    "--set=cyclegan.generator.blocks=1",
    "--set=data.resize_margin=2",
    "--set=data.workers=0",
    "--set=tensorboard=false",
    "--steps=2",
    "--save-every=1",
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return data_set(tmp_path_factory.mktemp("data") / "cat2dog")


@pytest.fixture(scope="module", autouse=True)
def colours() -> None:
    """Features that need no weights."""
    patched = pytest.MonkeyPatch()
    patched.setattr("training.commands.compare.choose_extractor", lambda *_, **__: (Colours(), None))


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished comparison."""
    out = tmp_path_factory.mktemp("whole")
    code, _, error = typed("compare", "--data", data, "--out", out, *TINY)
    assert (code, error) == (0, "")
    return out


def refusal(*arguments: str | Path) -> str:
    """The one sentence of a command that is refused."""
    code, _, error = typed("compare", *arguments)
    assert (code, error.strip().splitlines()[-1]) == (2, error.strip().splitlines()[-1])
    return error


def test_every_method_has_the_same_steps_time_parameters_and_figures(whole: Path) -> None:
    table = json.loads((whole / "table.json").read_text())
    assert (table["steps"], table["profile"], table["size"]) == (2, "common", 32)
    assert [method["method"] for method in table["methods"]] == ["cyclegan", "ugatit"]
    for method in table["methods"]:
        assert method["seconds"] > 0
        assert 0 < method["translating_parameters"] < method["parameters"]
        directions = {(row["direction"], row["metric"]) for row in method["figures"]}
        assert {("A2B", "cycle-l1"), ("B2A", "cycle-l1")} <= directions
    page = (whole / "table.md").read_text()
    assert "| CycleGAN (Zhu et al., ICCV 2017) |" in page
    assert "Equal updates are not equal computation" in page


def test_networks_that_were_fitted_to_the_pictures_are_remarks(whole: Path) -> None:
    remarks = json.loads((whole / "table.json").read_text())["remarks"]
    assert any("ugatit.global_discriminator.layers is 7" in remark for remark in remarks)
    assert any("cyclegan.discriminator.layers is 3" in remark for remark in remarks) is False


def test_one_gallery_has_all_methods_side_by_side(whole: Path) -> None:
    page = (whole / "gallery.html").read_text()
    assert "CycleGAN" in page
    assert "U-GAT-IT" in page


def test_bundles_of_every_method_have_the_names_of_the_domains(whole: Path) -> None:
    found = sorted(path.relative_to(whole / "bundles").as_posix() for path in whole.glob("bundles/*/*"))
    assert found == [
        f"{method}/{name}" for method in ("cyclegan", "ugatit") for name in ("cat2dog", "dog2cat")
    ]
    assert read_bundle(whole / "bundles" / "cyclegan" / "cat2dog").manifest.method == "cyclegan"


def test_same_command_continues_and_other_options_are_refused(whole: Path, data: Path) -> None:
    assert typed("compare", "--data", data, "--out", whole, *TINY)[0] == 0
    error = refusal("--data", data, "--out", whole, *TINY, "--set=cyclegan.pool=7")
    assert "cyclegan.pool was 50 and is 7" in error
    error = refusal("--data", data, "--out", whole, *TINY, "--methods=ugatit")
    assert "methods were cyclegan, ugatit and are ugatit" in error


def test_unknown_method_is_refused_with_the_nearest_one(data: Path, tmp_path: Path) -> None:
    error = refusal("--methods=cyclegun", "--data", data, "--out", tmp_path / "out", "--steps=1")
    assert "Unknown method 'cyclegun'; did you mean cyclegan?" in error
    assert not (tmp_path / "out").exists()


def test_either_minutes_or_steps_are_needed(data: Path, tmp_path: Path) -> None:
    assert "Give either --minutes or --steps." in refusal("--data", data, "--out", tmp_path / "out")
