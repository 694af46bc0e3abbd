"""Translate the faces of pictures from the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.bundle.canary import smooth_picture
from tests.cli.command import ugatit
from tests.faces.scenes import scene
from tests.photos import encoded
from tests.tiny_bundle import SIZE, write_tiny_bundle

PLACES = (200, 150), (470, 300)
TWO = scene(*PLACES, side=150, turned=15)


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    write_tiny_bundle(tmp_path / "bundles")
    return tmp_path / "bundles"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "two.png").write_bytes(encoded(TWO))
    (folder / "plain.png").write_bytes(encoded(smooth_picture(90, 120, seed=3)))
    return folder


def read(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def test_native_fit_keeps_the_shape_of_each_picture_and_refuses_faces(
    photos: Path, bundles: Path, tmp_path: Path
) -> None:
    arguments = ("--direction", "cat2dog", "--bundles", bundles, "--out", tmp_path / "out", "--fit", "native")
    refused = ugatit("translate", photos, *arguments, "--face", "largest")
    assert (refused.returncode, (tmp_path / "out").exists()) == (2, False)
    assert "--fit native translates the whole picture as it is, got --face largest" in refused.stderr
    assert ugatit("translate", photos, *arguments, UGATIT_NATIVE_PIXELS="40000").returncode == 0
    assert read(tmp_path / "out" / "plain.png").shape == (90, 120, 3)
    assert read(tmp_path / "out" / "plain.overlay.png").shape == (90, 120, 3)
    height, width, _ = read(tmp_path / "out" / "two.png").shape
    assert 38_000 < height * width <= 40_000  # shrunk to the limit
    assert abs(width / height - TWO.shape[1] / TWO.shape[0]) < 0.02


def test_all_faces_are_put_back_and_pictures_without_one_are_listed(
    photos: Path, bundles: Path, tmp_path: Path
) -> None:
    arguments = ("--direction", "cat2dog", "--bundles", bundles, "--out", tmp_path / "out")
    result = ugatit("translate", photos, *arguments, "--face", "all")
    assert result.returncode == 1
    assert "plain.png: A face is needed" in result.stderr
    assert not (tmp_path / "out" / "plain.png").exists()
    for name in ("two.png", "two.overlay.png"):
        picture = read(tmp_path / "out" / name)
        assert picture.shape == TWO.shape
        difference = np.abs(picture.astype(int) - TWO).max(axis=2) > 12
        for x, y in PLACES:
            assert difference[y - 30 : y + 30, x - 30 : x + 30].mean() > 0.3
        assert not difference[:30].any()


def test_auto_names_the_pictures_without_a_face_and_translates_them(
    photos: Path, bundles: Path, tmp_path: Path
) -> None:
    arguments = ("--direction", "cat2dog", "--bundles", bundles, "--out", tmp_path / "out")
    result = ugatit("translate", photos, *arguments, "--face", "auto", "--paste")
    assert result.returncode == 0, result.stderr
    assert "No face was found in" in result.stderr
    assert "plain.png" in result.stderr
    assert read(tmp_path / "out" / "plain.png").shape == (90, 120, 3)
    assert read(tmp_path / "out" / "two.png").shape == TWO.shape


def test_without_the_option_a_bundle_of_pictures_searches_for_no_face(
    photos: Path, bundles: Path, tmp_path: Path
) -> None:
    result = ugatit(
        "translate", photos, "--direction", "cat2dog", "--bundles", bundles, "--out", tmp_path / "out"
    )
    assert result.returncode == 0, result.stderr
    assert "No face" not in result.stderr
    assert read(tmp_path / "out" / "two.png").shape == (SIZE, SIZE, 3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--face", "at", "--x", "5"), "--x and --y"),
        (("--x", "5"), "--face at"),
        (("--face", "one"), "largest"),
    ],
)
def test_unsuited_options_are_a_usage_error(
    photos: Path, bundles: Path, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    arguments = ("--direction", "cat2dog", "--bundles", bundles, "--out", tmp_path / "out")
    result = ugatit("translate", photos, *arguments, *options)
    assert result.returncode == 2
    assert words in result.stderr
    assert not (tmp_path / "out").exists()
