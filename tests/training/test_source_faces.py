"""The framing of faces that an export measures in the training pictures of the source domain."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from models.bundle.directory import read_bundle
from models.faces.framing import DEFAULT_FRAMING
from tests.faces.scenes import portrait
from tests.training.command import SMALL, data_set, typed

FIT = (*SMALL, "--steps=2", "--set=tensorboard=false")
NAMES = ("--a2b", "person2toon", "--b2a", "toon2person")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose trainA shows faces and whose trainB shows none."""
    folder = data_set(tmp_path_factory.mktemp("pictures"))
    for picture in (folder / "trainA").iterdir():
        portrait().resize((128, 128)).save(picture)
    path = tmp_path_factory.mktemp("runs") / "faces"
    code, _, error = typed("fit", "--data", folder, "--out", path, *FIT)
    assert (code, error) == (0, "")
    return path


def test_export_measures_the_faces_of_the_source_domain(run: Path, tmp_path: Path) -> None:
    assert typed("export", run, *NAMES, "--out", tmp_path)[0] == 0
    forth, back = (read_bundle(tmp_path / name).manifest for name in ("person2toon", "toon2person"))
    assert forth.framing == "face"
    assert forth.face is not None
    assert list(forth.face.model_dump().values()) == pytest.approx(list(DEFAULT_FRAMING), abs=0.05)
    assert (back.framing, back.face) == (None, None)


def test_export_with_framing_picture_measures_no_faces(run: Path, tmp_path: Path) -> None:
    assert typed("export", run, *NAMES, "--only", "a2b", "--framing", "picture", "--out", tmp_path)[0] == 0
    manifest = read_bundle(tmp_path / "person2toon").manifest
    assert (manifest.framing, manifest.face) == ("picture", None)


def test_export_without_the_pictures_says_that_nothing_was_measured(run: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(run, moved)
    facts = json.loads((moved / "config.json").read_text())
    (moved / "config.json").write_text(json.dumps({**facts, "data": str(tmp_path / "gone")}))
    code, _, error = typed("export", moved, *NAMES, "--only", "a2b", "--out", tmp_path / "out")
    assert code == 0
    assert "framing of faces was not measured" in error
    assert read_bundle(tmp_path / "out" / "person2toon").manifest.framing is None
