"""Test that a clone has the same bytes with every line-end setting of Git."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from models.bundle.directory import read_bundle
from tests.packaging.files import ROOT

SCRIPTS = ("docker/ugatit", "docker/healthcheck.py", "docker/lock", ".ci/run", "Makefile", "app/cli.py")


def git(*arguments: str | Path) -> None:
    subprocess.run(["git", *map(str, arguments)], check=True, capture_output=True, timeout=60)


@pytest.mark.skipif(shutil.which("git") is None, reason="needs Git")
def test_clone_with_autocrlf_has_valid_bundles_and_unix_scripts(tmp_path: Path) -> None:
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    names = [".gitattributes", "bundles", *SCRIPTS]
    git("init", "-q", origin)
    for name in names:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        (origin / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, origin / name)
    git("-C", origin, "add", ".")
    git("-C", origin, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "all")
    git("clone", "-q", "-c", "core.autocrlf=true", origin, clone)
    for bundle in (clone / "bundles").iterdir():
        read_bundle(bundle)
    for name in SCRIPTS:
        assert b"\r" not in (clone / name).read_bytes(), name
