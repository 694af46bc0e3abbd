"""Describe the machine and the versions of each start and resume of a run: `environment.json`."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import torch

_PACKAGES: Final = ("torch", "numpy", "pillow", "safetensors", "lightning-fabric", "tensorboard")


def describe_environment(step: int, *, processes: int) -> dict[str, Any]:
    """Return what a run's speed and exactness depend on, when it starts or resumes at `step`."""
    return {
        "step": step,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "code": code_version(),
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "processor": processor(),
        "processes": processes,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_bytes": memory_bytes(),
        "gpus": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
        "versions": {name: version for name in _PACKAGES if (version := _version(name)) is not None},
    }


def read_environments(path: Path) -> list[dict[str, Any]]:
    """Return the entries of each start and resume, the oldest first; none if the file cannot be read."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []


def code_version() -> str:
    """Return the version of this code, and its commit if it runs from a clone."""
    return " ".join(filter(None, (_version("ugatit"), _commit())))


def processor() -> str:
    """Return the name of the processor, or of its architecture if the system does not report a name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def memory_bytes() -> int | None:
    """Return the memory of the machine in bytes; None if the system does not report it."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    try:
        result = subprocess.run(  # noqa: S603
            ["git", "-C", str(root), "describe", "--always", "--dirty"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip() or None
