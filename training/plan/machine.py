"""Read what this machine has left for a run: memory, disk, cores."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import torch

_VERSION_2: Final = ("memory.max", "memory.current", "inactive_file")
_VERSION_1: Final = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def free_memory_bytes(device_type: str = "cpu", *, root: Path = Path("/")) -> int | None:
    """Return how much memory this process can still get, or None where the system does not say.

    On a GPU it is that of the current device. Otherwise it is the least of what the machine has available,
    what the control groups of a container leave, and the limit of this process's address space.

    Args:
        device_type: `cuda` or `cpu`.
        root: where `proc` and `sys` are.
    """
    if device_type == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    found = [*_available(root), *_left_by_groups(root), *_left_of_address_space(root)]
    return max(0, min(found)) if found else None


def free_disk_bytes(folder: Path) -> int:
    """Return the free space where a folder is, or will be."""
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(existing).free


def cores() -> int:
    """Return how many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _available(root: Path) -> Iterator[int]:
    """What the kernel can give without swapping, cached files included."""
    for line in _lines(root / "proc/meminfo"):
        if line.startswith("MemAvailable:"):
            yield int(line.split()[1]) * 1024


def _left_by_groups(root: Path) -> Iterator[int]:
    """Every control group above this process binds. Cached files count as used there, but give way."""
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        mount = root / "sys/fs/cgroup" / ("memory" if controllers else "")
        group = Path(path.strip().lstrip("/"))
        for each in (group, *group.parents):  # in a container it is often the mount itself
            yield from _left_by(mount / each, *(_VERSION_1 if controllers else _VERSION_2))


def _left_by(folder: Path, limit_name: str, used_name: str, cached_name: str) -> Iterator[int]:
    limit, used = _number(folder / limit_name), _number(folder / used_name)
    if limit is not None and used is not None:
        statistics = (line.split() for line in _lines(folder / "memory.stat"))
        cached = next((int(value) for name, value in statistics if name == cached_name), 0)
        yield limit - max(0, used - cached)


def _left_of_address_space(root: Path) -> Iterator[int]:
    """`ulimit -v` bounds what a process maps, whether it uses it or not."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    pages = _lines(root / "proc/self/statm")
    if limit != resource.RLIM_INFINITY and pages:
        yield limit - int(pages[0].split()[0]) * _PAGE


def _number(file: Path) -> int | None:
    """A file's only number, or None where it is the word max or there is no file."""
    words = " ".join(_lines(file)).split()
    return int(words[0]) if len(words) == 1 and words[0].isdigit() else None


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
