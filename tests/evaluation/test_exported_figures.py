"""`ugatit-train export --figures`: an evaluation's figures in the manifest and on the card of a bundle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.bundle.directory import read_bundle
from tests.evaluation.making import Colours, draw_data
from tests.training.command import SMALL, data_set, typed


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    run, pictures = folder / "run", data_set(folder / "data")
    code, _, error = typed("fit", "--data", pictures, "--out", run, "--steps=2", *SMALL)
    assert code == 0, error
    return run


@pytest.fixture
def figures(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("training.commands.evaluate.choose_extractor", lambda *_, **__: (Colours(), None))
    data, file = draw_data(tmp_path / "data"), tmp_path / "figures.json"
    code, _, error = typed("evaluate", run, "--data", data, "--a2b", "cat2dog", "--json", file)
    assert code == 0, error
    return file


def test_exported_bundle_has_the_figures_of_its_checkpoint(run: Path, figures: Path, tmp_path: Path) -> None:
    out = tmp_path / "bundles"
    names = ("--a2b", "cat2dog", "--b2a", "dog2cat")
    code, _, error = typed("export", run, *names, "--out", out, "--figures", figures, "--framing", "face")
    assert code == 0, error
    document = json.loads(figures.read_text())
    for direction, domains in (("cat2dog", "A2B"), ("dog2cat", "B2A")):
        bundle = read_bundle(out / direction)
        rows = [row for row in document["rows"] if row["domains"] == domains]
        assert [(each.metric, each.protocol, each.value) for each in bundle.manifest.evaluation] == [
            (row["metric"], row["protocol"], row["value"]) for row in rows
        ]
        kid = bundle.manifest.evaluation[0]
        assert (kid.data_fingerprint, kid.seed) == (document["data"]["fingerprint"], 0)
        assert (kid.extractor_sha256, kid.n_targets) == (Colours.sha256, rows[0]["n_targets"])
        assert f"| {kid.metric} | plain | {kid.value:.4g} |" in bundle.card
        assert bundle.manifest.framing == "face"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read"),
        ("{}", "is not a file of figures"),
        ("step", "has no figures for A2B at step 2"),
    ],
)
def test_other_files_are_refused_in_one_sentence_before_anything_is_written(
    run: Path, figures: Path, tmp_path: Path, content: str | None, sentence: str
) -> None:
    if content is None:
        figures.unlink()
    elif content == "step":
        figures.write_text(figures.read_text().replace('"steps": 2', '"steps": 3'))
    else:
        figures.write_text(content)
    code, _, error = typed(
        "export", run, "--a2b", "cat2dog", "--out", tmp_path / "bundles", "--figures", figures
    )
    assert code == 2
    assert sentence in error
    assert error.count("\n") == 1
    assert not (tmp_path / "bundles").exists()
