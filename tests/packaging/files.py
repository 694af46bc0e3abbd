"""Read the packaging files in the same way as their tools."""

from __future__ import annotations

import fnmatch
import json
import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def text(name: str) -> str:
    """Return a file of the repository as text."""
    return (ROOT / name).read_text(encoding="utf-8")


def project() -> dict[str, Any]:
    """Return the section `project` of pyproject.toml."""
    return tomllib.loads(text("pyproject.toml"))["project"]  # type: ignore[no-any-return]


def compose_services(name: str = "docker-compose.yml") -> dict[str, dict[str, Any]]:
    """Return the services of a compose file, with anchors and merge keys resolved."""
    return yaml.safe_load(text(name))["services"]  # type: ignore[no-any-return]


class Locked(NamedTuple):
    """A package of a lock file."""

    requirement: Requirement
    version: str
    hashes: tuple[str, ...]


def lock(name: str) -> dict[str, Locked]:
    """Return the packages of a lock file by canonical name."""
    lines = _joined(text(f"docker/{name}")).splitlines()
    return dict(_locked(line) for line in lines if line.strip() and not line.startswith("#"))


def _locked(line: str) -> tuple[str, Locked]:
    stated, *hashes = re.split(r"\s+--hash=", line.strip())
    requirement = Requirement(stated)
    ((operator, version),) = [(spec.operator, spec.version) for spec in requirement.specifier]
    assert operator == "==", line
    return canonicalize_name(requirement.name), Locked(requirement, version, tuple(hashes))


class Stage(NamedTuple):
    """A build stage of the Dockerfile."""

    instructions: list[tuple[str, str]]
    """Keyword and argument, such as ("USER", "10001:10001"). Comments are left out."""

    def all(self, keyword: str) -> list[str]:
        """Return the arguments of every instruction with a keyword."""
        return [argument for key, argument in self.instructions if key == keyword]

    def one(self, keyword: str) -> str:
        """Return the argument of the only instruction with a keyword."""
        (argument,) = self.all(keyword)
        return argument

    def command(self, keyword: str) -> list[str]:
        """Return the words of an instruction in exec form; the shell form is not valid JSON."""
        return json.loads(self.one(keyword))  # type: ignore[no-any-return]


def dockerfile_stages() -> list[Stage]:
    """Return the instructions before the first FROM, then each stage beginning with its FROM."""
    kept = "\n".join(line for line in text("Dockerfile").splitlines() if not line.startswith("#"))
    stages = [Stage([])]
    for line in filter(str.strip, _joined(kept).splitlines()):
        keyword, argument = line.split(maxsplit=1)
        if keyword == "FROM":
            stages.append(Stage([]))
        stages[-1].instructions.append((keyword, argument.strip()))
    return stages


def in_build_context(path: str) -> bool:
    """Return whether .dockerignore admits a path: the last pattern that matches it or a parent decides."""
    parts = path.split("/")
    candidates = ["/".join(parts[: length + 1]) for length in range(len(parts))]
    included = True
    for line in text(".dockerignore").splitlines():
        pattern = line.removeprefix("!")
        if line and not line.startswith("#") and any(_matches(pattern, each) for each in candidates):
            included = line.startswith("!")
    return included


def _joined(lines: str) -> str:
    """Join lines that end in a backslash with the next line."""
    return re.sub(r"\\\n", " ", lines)


def _matches(pattern: str, path: str) -> bool:
    if pattern.startswith("**/"):
        return any(_matches(pattern[3:], part) for part in path.split("/"))
    same_depth = pattern.count("/") == path.count("/")
    return same_depth and fnmatch.fnmatchcase(path, pattern)
