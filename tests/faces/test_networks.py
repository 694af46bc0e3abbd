"""Test the networks of the face detector as files of the package."""

from __future__ import annotations

import hashlib
import re

from models.faces.networks import FOLDER


def test_networks_are_the_files_whose_licence_and_hashes_are_beside_them() -> None:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    hashes = dict(re.findall(r"`(\w+\.onnx)` \| `([0-9a-f]{64})`", page))
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("*.onnx")}
    assert hashes == files
    assert "Apache License" in (FOLDER / "LICENSE.txt").read_text(encoding="utf-8")
