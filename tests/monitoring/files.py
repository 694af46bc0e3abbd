"""Read the alert rules and the dashboard."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import yaml

from tests.packaging.files import ROOT, text

FOLDER = "docker/monitoring"
RULES = ROOT / FOLDER / "alerts.yml"


class Panel(NamedTuple):
    """One panel of the dashboard and its queries."""

    title: str
    expressions: list[str]
    legends: list[str]
    fields: dict[str, Any]


def dashboard() -> dict[str, Any]:
    """Return the dashboard's JSON."""
    return json.loads(text(f"{FOLDER}/grafana/dashboards/ugatit.json"))  # type: ignore[no-any-return]


def panels() -> list[Panel]:
    """Return the panels that have queries."""
    return [
        Panel(
            panel["title"],
            [target["expr"] for target in panel["targets"]],
            [target["legendFormat"] for target in panel["targets"]],
            panel,
        )
        for panel in dashboard()["panels"]
        if panel["type"] != "row"
    ]


def rules() -> list[dict[str, Any]]:
    """Return the alert rules."""
    (group,) = yaml.safe_load(text(f"{FOLDER}/alerts.yml"))["groups"]
    return group["rules"]  # type: ignore[no-any-return]


def metrics_of(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Yield each metric of an expression, with the labels that it matches."""
    for name, matchers in re.findall(r"\b(ugatit_\w+|process_\w+|up\b)(?:\{([^}]*)\})?", expression):
        yield name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))


def required(tool: str) -> str:
    """Return the path of a Prometheus tool; skip the test without it, or fail if the tool is required."""
    path = shutil.which(tool)
    if path is not None:
        return path
    reason = f"there is no {tool} (on Debian and Ubuntu: apt install prometheus)"
    if os.environ.get("TESTS_NEED_PROMETHEUS") == "1":
        pytest.fail(f"TESTS_NEED_PROMETHEUS=1, but {reason}")
    pytest.skip(reason)
