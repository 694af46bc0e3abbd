"""Test the Python examples of docs/http.md and of the client's page."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.command import ROOT


def examples(page: str) -> list[str]:
    """Return the Python examples of a page."""
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)


def run(code: str, address: str, folder: Path) -> None:
    """Run an example in a folder with a photo."""
    shutil.copy(ROOT / "tests" / "photo.jpg", folder)
    subprocess.run(
        [sys.executable, "-c", code.replace("http://127.0.0.1:8000", address)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT / "client")},
        check=True,
        timeout=120,
    )


@pytest.mark.parametrize("example", [0, 1], ids=["client", "any library"])
def test_python_example_writes_a_picture_and_a_heat_map(tmp_path: Path, address: str, example: int) -> None:
    run(examples("docs/http.md")[example], address, tmp_path)
    with Image.open(tmp_path / "anime.png") as picture, Image.open(tmp_path / "heat-map.png") as heat_map:
        assert picture.format == heat_map.format == "PNG"
        assert max(heat_map.size) == 512


def test_examples_of_the_clients_page_write_their_pictures(tmp_path: Path, address: str) -> None:
    for code in examples("client/README.md"):
        run(code, address, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert {"anime.png", "heat-map.png", "whole-photo.jpg", "selfie2anime.png", "anime-photo.jpg"} <= names
