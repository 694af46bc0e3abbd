"""Every set of golden vectors is read by a test."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.golden.baselines_reading import golden_sections, golden_sets
from tests.golden.reading import ROOT, SHIPPED, sets_below

METHODS = ("cyclegan", "unit", "munit", "drit", "aggan", "cartoongan")


@pytest.mark.golden
def test_every_set_is_of_a_known_method() -> None:
    known = {param.id for method in METHODS for param in golden_sets(method)}
    assert known == set(sets_below(ROOT / "baselines"))


def test_every_section_but_the_counts_is_a_parameter() -> None:
    names = [param.id for param in golden_sections("cyclegan") if param.id.startswith("cyclegan-")]
    assert names == [f"cyclegan-{section}" for section in ("given", "step1", "step2", "after_step2")]


def collected(folder: Path) -> list[str]:
    """Return the tests that pytest selects with the marker `golden` for another folder of vectors."""
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--collect-only",
            "-m",
            "golden",
            "tests/golden/test_cyclegan.py",
        ],
        env={**os.environ, "UGATIT_GOLDEN": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    return [line for line in run.stdout.splitlines() if "::" in line]


def test_sets_of_another_folder_are_tested_under_the_name_of_their_folder(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED / "baselines" / "cyclegan", tmp_path / "baselines" / "other")
    config = tmp_path / "baselines" / "other" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "seed": 7}))
    tests = collected(tmp_path)
    assert len(tests) >= 2
    assert all("[other" in test for test in tests)
