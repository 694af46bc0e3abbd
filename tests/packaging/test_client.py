"""Test that the client needs httpx2 and nothing else, and that serving does not need the client."""

from __future__ import annotations

import ast
import sys
import tomllib

import ugatit_client
from tests.packaging.files import ROOT, in_build_context, project, text

PACKAGE = ROOT / "client" / "ugatit_client"
CLIENT = tomllib.loads(text("client/pyproject.toml"))["project"]


def imported(source: str) -> set[str]:
    """Return the top-level packages that a module imports."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


def test_client_imports_only_the_standard_library_and_httpx2() -> None:
    names = set().union(*(imported(path.read_text()) for path in PACKAGE.glob("*.py")))
    assert names - sys.stdlib_module_names == {"httpx2", "ugatit_client"}


def test_httpx2_is_the_only_dependency_and_within_the_tested_range() -> None:
    (dependency,) = CLIENT["dependencies"]
    assert any(each.startswith(dependency) for each in project()["optional-dependencies"]["dev"])


def test_version_is_that_of_the_package() -> None:
    assert CLIENT["version"] == ugatit_client.__version__
    assert f"ugatit-client/{CLIENT['version']}" in (PACKAGE / "connection.py").read_text()


def test_client_is_typed_and_not_part_of_the_image() -> None:
    assert (PACKAGE / "py.typed").exists()
    assert not in_build_context("client/ugatit_client/client.py")
    assert not any("client" in each for each in project()["dependencies"] if "prometheus" not in each)


def test_development_installs_the_client() -> None:
    assert "--editable ./client" in text("Makefile")
