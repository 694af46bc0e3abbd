"""Test the two passes of `make test`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.packaging.files import ROOT

# A stand-in for python: records its arguments and exits with the status of its pass.
PYTHON = """#!/bin/sh
echo "$*" >> passes
case "$*" in
  *--serial=without*) exit {parallel} ;;
  *--serial=only*) exit {serial} ;;
esac
"""


def passes(folder: Path, *arguments: str, parallel: int = 0, serial: int = 0) -> tuple[int, list[str]]:
    """Run `.ci/pytest` with a status for each pass; return its exit status and the passes' commands."""
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "pytest", folder / ".ci")
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON.format(parallel=parallel, serial=serial))
    python.chmod(0o755)
    status = subprocess.run([folder / ".ci" / "pytest", *arguments], check=False).returncode
    return status, (folder / "passes").read_text().splitlines()


@pytest.mark.parametrize(
    ("parallel", "serial", "expected"),
    [
        (0, 0, 0),
        (1, 0, 1),
        (0, 1, 1),
        (1, 1, 1),
        (2, 1, 2),
        (5, 0, 0),  # 5: no test selected
        (0, 5, 0),
        (1, 5, 1),
        (5, 1, 1),
        (5, 5, 5),
    ],
)
def test_status_is_the_first_failure_and_both_passes_always_run(
    tmp_path: Path, parallel: int, serial: int, expected: int
) -> None:
    status, commands = passes(tmp_path, parallel=parallel, serial=serial)
    assert status == expected
    assert len(commands) == 2


def test_both_passes_get_the_arguments_and_only_the_first_is_parallel(tmp_path: Path) -> None:
    _, (first, second) = passes(tmp_path, "-k", "one or two")
    assert first.endswith(" -n auto --maxprocesses=4 --dist=worksteal -k one or two")
    assert second.endswith(" -k one or two -n 0")
