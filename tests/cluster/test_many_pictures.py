"""`ugatit translate --engine ray` on a cluster that runs already."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.bundle.canary import smooth_picture
from tests.cli.command import ugatit
from tests.photos import encoded
from tests.tiny_bundle import SIZE, write_tiny_bundle

pytestmark = [
    pytest.mark.serial,
    pytest.mark.filterwarnings("ignore"),  # Ray's own
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed"),
]


def test_a_folder_is_translated_on_the_cluster_into_a_store_and_failures_are_listed(
    ray_node: str, tmp_path: Path
) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    pictures = {f"{number}.png": smooth_picture(SIZE, SIZE, seed=number) for number in range(4)}
    for name, pixels in pictures.items():
        (photos / name).write_bytes(encoded(pixels))
    (photos / "broken.png").write_bytes(b"no picture")
    write_tiny_bundle(tmp_path / "bundles")
    arguments = ("--direction=cat2dog", f"--out=local://{out}", "--bundles", tmp_path / "bundles")
    result = ugatit("translate", photos, *arguments, "--engine=ray", RAY_ADDRESS=ray_node)
    (report,) = [line for line in result.stderr.splitlines() if line.startswith("ugatit:")]
    assert result.returncode == 1
    assert f"{photos}/broken.png: This is not a JPEG" in report
    for name, pixels in pictures.items():
        assert np.array_equal(np.asarray(Image.open(out / name)), 255 - pixels)
        assert (out / name).with_suffix(".overlay.png").exists()
