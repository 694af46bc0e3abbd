"""`ugatit translate --engine ray` on its own Ray, with a picture that kills the process that reads it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.bundle.canary import smooth_picture
from tests.cli.command import ROOT, ugatit
from tests.photos import encoded
from tests.tiny_bundle import SIZE, write_tiny_bundle

pytestmark = [pytest.mark.serial, pytest.mark.cluster]

KILLER = """
import os, pathlib, signal

read_bytes = pathlib.Path.read_bytes

def read(path):
    if path.name == "killer.png":
        os.kill(os.getpid(), signal.SIGSEGV)
    return read_bytes(path)

pathlib.Path.read_bytes = read
"""
"""Python runs this at its start, in every process of Ray."""


def test_a_picture_that_kills_its_process_is_named_and_the_others_are_translated(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    (photos / "more").mkdir(parents=True)
    pictures = {f"{number}.png": smooth_picture(SIZE, SIZE, seed=number) for number in range(20)}
    for name, pixels in pictures.items():
        (photos / name).write_bytes(encoded(pixels))
    (photos / "more" / "killer.png").write_bytes(encoded(pictures["0.png"]))
    (photos / "more" / "broken.png").write_bytes(b"no picture")
    write_tiny_bundle(tmp_path / "bundles")
    (tmp_path / "sitecustomize.py").write_text(KILLER)

    arguments = ("--direction=cat2dog", f"--out=local://{out}", "--bundles", tmp_path / "bundles")
    result = ugatit(
        *("translate", photos, *arguments, "--engine=ray", "--translators=2"),
        PYTHONPATH=f"{tmp_path}:{ROOT}",
        RAY_ADDRESS="",
    )
    reports = sorted(line for line in result.stderr.splitlines() if line.startswith("ugatit:"))
    assert result.returncode == 1, result.stderr
    assert result.stdout == ""
    assert "broken.png: This is not a JPEG" in reports[0]
    assert "killer.png: Its process ended twice" in reports[1]
    assert len(reports) == 2
    others = [line for line in result.stderr.splitlines() if line.strip() and line not in reports]
    assert all("cat2dog" in line for line in others), others  # the progress, and nothing of Ray
    translations = {path.name for path in out.glob("*.png") if "overlay" not in path.name}
    assert translations == pictures.keys()
    for name, pixels in pictures.items():
        assert np.array_equal(np.asarray(Image.open(out / name)), 255 - pixels)
        assert (out / name).with_suffix(".overlay.png").exists()
