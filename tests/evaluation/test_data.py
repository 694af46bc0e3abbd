"""Test pictures: testA and testB suffice, and what is wrong with them is one sentence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.evaluation.making import draw_data
from training.data.errors import DataError
from training.evaluation.data import read_data
from training.evaluation.errors import EvaluationError


def test_only_the_two_test_folders_are_needed(tmp_path: Path) -> None:
    data = read_data(draw_data(tmp_path / "data"))
    assert (data.count("A"), data.count("B")) == (5, 4)
    assert [picture.shape for picture in data.stretched("A", height=8, width=12)] == [(8, 12, 3)] * 5


def test_the_fingerprint_is_of_names_and_contents_of_the_test_pictures(tmp_path: Path) -> None:
    first = draw_data(tmp_path / "first")
    fingerprint = read_data(first).fingerprint
    shutil.copytree(first, tmp_path / "second")
    (tmp_path / "second" / "trainA").mkdir()
    assert read_data(tmp_path / "second").fingerprint == fingerprint
    (tmp_path / "second" / "testA" / "0.png").rename(tmp_path / "second" / "testA" / "9.png")
    assert read_data(tmp_path / "second").fingerprint != fingerprint


def test_empty_test_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"testB holds no pictures; put JPEG, PNG or WebP files into it"):
        read_data(draw_data(tmp_path / "data", b=0))


def test_one_test_picture_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"at least 2 readable pictures in .*/testB, found 1; put more"):
        read_data(draw_data(tmp_path / "data", b=1))


def test_missing_test_folder_suggests_a_similar_one(tmp_path: Path) -> None:
    folder = draw_data(tmp_path / "data")
    with pytest.raises(DataError, match=r"data/testA exists: give "):
        read_data(folder.parent)


def test_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="absent"):
        read_data(tmp_path / "absent")


def test_an_unreadable_picture_is_left_out_and_named(tmp_path: Path) -> None:
    folder = draw_data(tmp_path / "data", a=11)
    (folder / "testA" / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    data = read_data(folder)
    assert data.count("A") == 11
    assert [file.name for file in data.unreadable] == ["testA/torn.png"]


def test_too_many_unreadable_pictures_are_refused(tmp_path: Path) -> None:
    folder = draw_data(tmp_path / "data")
    for number in range(3):
        (folder / "testA" / f"torn{number}.png").write_bytes(b"")
    with pytest.raises(DataError, match="3 of the 8 pictures"):
        read_data(folder)
