"""Test the Python example of docs/http.md."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image

from tests.cli.command import ROOT
from tests.service import running_service

EXAMPLE = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "http.md").read_text("utf-8"), re.DOTALL)[0]


def test_python_example_writes_a_picture_and_a_heat_map(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "photo.jpg", tmp_path)
    with running_service() as address:
        code = EXAMPLE.replace("http://127.0.0.1:8000", address)
        subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=120)
    with Image.open(tmp_path / "anime.png") as picture, Image.open(tmp_path / "heat-map.png") as heat_map:
        assert picture.format == heat_map.format == "PNG"
        assert max(heat_map.size) == 512
