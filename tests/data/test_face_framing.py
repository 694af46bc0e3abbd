"""Test how `data check` measures the framing of faces."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from models.faces.framing import DEFAULT_FRAMING
from tests.data.making import make_folder
from tests.faces.scenes import portrait, scene
from training.data.check import Report, check
from training.data.face_framing import SAMPLE, folder_framing
from training.data.render import render


def rendered(report: Report) -> str:
    out = StringIO()
    render(report, Console(file=out, width=200))
    return out.getvalue()


def test_check_prints_the_framing_of_a_folder_of_faces(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, {"trainA": 1, "trainB": 3, "testA": 1, "testB": 1})
    for number in range(3):
        portrait().rotate(6 * number).save(folder / f"trainA/face-{number}.png")
    report = check(folder)
    (found,) = report.framings
    assert (found.name, found.searched, found.faces) == ("trainA", 4, 3)
    assert list(found.framing) == pytest.approx(list(DEFAULT_FRAMING), abs=0.05)
    height = f"{100 * found.framing.height:.0f}"
    assert f"Faces in trainA: found in 3 of 4 pictures; in the median {height} % of the" in rendered(report)


def test_check_says_nothing_of_faces_where_most_pictures_show_none(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    portrait().save(folder / "trainA/face.png")
    report = check(folder)
    assert report.framings == ()
    assert "Faces" not in rendered(report)


def test_smaller_faces_have_a_smaller_framing(tmp_path: Path) -> None:
    path = tmp_path / "small.png"
    Image.fromarray(scene((320, 240), side=240)).save(path)
    framing = folder_framing("trainA", [path])
    assert framing is not None
    assert framing.framing.height == pytest.approx(DEFAULT_FRAMING.height / 2, rel=0.08)


def test_pictures_of_a_large_folder_are_a_sample_and_a_lost_one_is_passed_over(tmp_path: Path) -> None:
    portrait().resize((96, 96)).save(tmp_path / "face.png")
    paths = [tmp_path / "face.png"] * 100
    paths[0] = tmp_path / "lost.png"
    framing = folder_framing("trainA", paths)
    assert framing is not None
    assert (framing.searched, framing.faces) == (SAMPLE, SAMPLE - 1)


def test_folder_without_pictures_has_no_framing() -> None:
    assert folder_framing("trainA", []) is None
