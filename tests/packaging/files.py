"""The packaging files, read the way their own tools read them."""

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
    return (ROOT / name).read_text(encoding="utf-8")


def project() -> dict[str, Any]:
    return tomllib.loads(text("pyproject.toml"))["project"]  # type: ignore[no-any-return]


def compose_services(name: str = "docker-compose.yml") -> dict[str, dict[str, Any]]:
    """The services of a compose file, with anchors and merge keys resolved."""
    return yaml.safe_load(text(name))["services"]  # type: ignore[no-any-return]


class Locked(NamedTuple):
    requirement: Requirement
    version: str
    hashes: tuple[str, ...]


def lock(name: str) -> dict[str, Locked]:
    """The packages of a lock file by canonical name, continued lines joined."""
    lines = re.sub(r"\\\n", " ", text(f"docker/{name}")).splitlines()
    return dict(_locked(line) for line in lines if line.strip() and not line.startswith("#"))


def _locked(line: str) -> tuple[str, Locked]:
    stated, *hashes = re.split(r"\s+--hash=", line.strip())
    requirement = Requirement(stated)
    ((operator, version),) = [(spec.operator, spec.version) for spec in requirement.specifier]
    assert operator == "==", line
    return canonicalize_name(requirement.name), Locked(requirement, version, tuple(hashes))


class Stage(NamedTuple):
    instructions: list[tuple[str, str]]
    """Keyword and argument, such as ("USER", "10001:10001"), continued lines joined, comments left out."""

    def all(self, keyword: str) -> list[str]:
        return [argument for key, argument in self.instructions if key == keyword]

    def one(self, keyword: str) -> str:
        (argument,) = self.all(keyword)
        return argument

    def command(self, keyword: str) -> list[str]:
        """The words of an exec form; JSON refuses the shell form."""
        return json.loads(self.one(keyword))  # type: ignore[no-any-return]


def dockerfile_stages() -> list[Stage]:
    """What stands before the first FROM, then each stage from its FROM on."""
    kept = "\n".join(line for line in text("Dockerfile").splitlines() if not line.startswith("#"))
    stages = [Stage([])]
    for line in filter(str.strip, re.sub(r"\\\n", " ", kept).splitlines()):
        keyword, argument = line.split(maxsplit=1)
        if keyword == "FROM":
            stages.append(Stage([]))
        stages[-1].instructions.append((keyword, argument.strip()))
    return stages


def reaches_the_builder(path: str) -> bool:
    """Whether .dockerignore lets a path through: the last pattern that matches it or a parent decides."""
    parts = path.split("/")
    candidates = ["/".join(parts[: length + 1]) for length in range(len(parts))]
    reaches = True
    for line in text(".dockerignore").splitlines():
        pattern = line.removeprefix("!")
        if line and not line.startswith("#") and any(_matches(pattern, each) for each in candidates):
            reaches = line.startswith("!")
    return reaches


def _matches(pattern: str, path: str) -> bool:
    if pattern.startswith("**/"):
        return any(_matches(pattern[3:], part) for part in path.split("/"))
    same_depth = pattern.count("/") == path.count("/")
    return same_depth and fnmatch.fnmatchcase(path, pattern)
