"""The canary's natural pictures: drawn or of a folder, and their translations."""

from pathlib import Path

import numpy as np
from click.testing import CliRunner
from PIL import Image

from models.bundle.canary import read_canary
from models.bundle.canary_pictures import without_pictures
from models.bundle.directory import read_bundle
from models.bundle.manifest import CANARY, GENERATOR
from models.bundle.natural_pictures import natural_pictures
from tests.tiny_bundle import SIZE, write_tiny_bundle
from training.cli import cli


def test_drawn_pictures_are_the_same_each_time_and_use_most_levels() -> None:
    pictures = natural_pictures(2, 32, 48, seed=0)
    assert pictures.shape == (2, 32, 48, 3)
    assert np.array_equal(pictures, natural_pictures(2, 32, 48, seed=0))
    assert all(np.ptp(picture) > 200 for picture in pictures)


def test_canary_command_renews_the_pictures_and_nothing_else(tmp_path: Path) -> None:
    path = write_tiny_bundle(tmp_path / "bundles")
    before = read_bundle(path)
    photos = tmp_path / "photos"
    photos.mkdir()
    for level in (0, 100, 200):
        Image.new("RGB", (64, 48), (level, 0, 0)).save(photos / f"{level}.png")
    for arguments, prefix, count in ((["--pictures", str(photos)], "source", 3), ([], "drawn", 4)):
        answer = CliRunner().invoke(cli, ["canary", str(path), *arguments])
        assert answer.exit_code == 0, answer.output
        bundle = read_bundle(path)
        canary = read_canary(bundle.files[CANARY])
        assert canary[f"{prefix}_pixels"].shape == (count, SIZE, SIZE, 3)
        assert np.array_equal(canary[f"{prefix}_image"], 255 - canary[f"{prefix}_pixels"])
        assert set(canary) - set(without_pictures(canary)) == {f"{prefix}_pixels", f"{prefix}_image"}
        assert bundle.files[GENERATOR] == before.files[GENERATOR]
        assert bundle.manifest.training == before.manifest.training
        assert bundle.version != before.version


def test_canary_command_refuses_a_folder_without_pictures(tmp_path: Path) -> None:
    path = write_tiny_bundle(tmp_path / "bundles")
    answer = CliRunner().invoke(cli, ["canary", str(path), "--pictures", str(tmp_path)])
    assert answer.exit_code == 2
    assert "has no pictures; name another folder" in answer.output
