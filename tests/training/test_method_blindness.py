"""Nothing outside a method's own files knows the method."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from training.methods.registry import KINDS

TRAINING = Path(__file__).parents[2] / "training"
BLIND = (
    "checkpoint",
    "commands",
    "config",
    "console",
    "data",
    "evaluation",
    "export",
    "gallery",
    "journal",
    "page",
    "parallel",
    "plan",
    "report",
    "run",
    "run_folder",
)
NOT_THE_METHOD = re.compile(
    r'ugatit-[a-z]+|ugatit\[|"ugatit"\)|producer_name="ugatit"|`ugatit verify`|ugatit study|UGATIT\.model'
)
"""The project has the name of its first method: its commands, its package and its threads."""


def sources() -> list[Path]:
    shared = [path for path in (TRAINING / "methods").glob("*.py") if path.name != "registry.py"]
    return [*shared, *(path for name in BLIND for path in (TRAINING / name).rglob("*.py"))]


@pytest.mark.parametrize("method", KINDS)
def test_shared_code_names_no_method(method: str) -> None:
    named = re.compile(rf"\b{method}\b|methods\.{method}\b", re.IGNORECASE)
    found = [
        f"{path.relative_to(TRAINING)}:{number}: {line.strip()}"
        for path in sources()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if named.search(NOT_THE_METHOD.sub("", line))
    ]
    assert found == []
