"""Read the free memory, free disk and cores of this machine."""

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
    """Return the bytes that this process can still allocate; None where the system does not report it.

    On a GPU it is the free memory of the current device. Otherwise it is the minimum of the machine's
    available memory, the rest of its control groups' limits, and the rest of this process's address space.

    Args:
        device_type: `cuda` or `cpu`.
        root: where `proc` and `sys` are.
    """
    if device_type == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    found = [*_available(root), *_left_by_groups(root), *_left_of_address_space(root)]
    return max(0, min(found)) if found else None


def free_disk_bytes(folder: Path) -> int:
    """Return the free bytes on the disk of a folder, which need not exist yet."""
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(existing).free


def cores() -> int:
    """Return how many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _available(root: Path) -> Iterator[int]:
    """Yield the memory that the kernel can provide without swapping, cached files included."""
    for line in _lines(root / "proc/meminfo"):
        if line.startswith("MemAvailable:"):
            yield int(line.split()[1]) * 1024


def _left_by_groups(root: Path) -> Iterator[int]:
    """Yield the rest of each control group's limit. Cached files count as free: the kernel drops them."""
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        mount = root / "sys/fs/cgroup" / ("memory" if controllers else "")
        group = Path(path.strip().lstrip("/"))
        for each in (group, *group.parents):  # in a container the group is often the mount itself
            yield from _left_by(mount / each, *(_VERSION_1 if controllers else _VERSION_2))


def _left_by(folder: Path, limit_name: str, used_name: str, cached_name: str) -> Iterator[int]:
    limit, used = _number(folder / limit_name), _number(folder / used_name)
    if limit is not None and used is not None:
        statistics = (line.split() for line in _lines(folder / "memory.stat"))
        cached = next((int(value) for name, value in statistics if name == cached_name), 0)
        yield limit - max(0, used - cached)


def _left_of_address_space(root: Path) -> Iterator[int]:
    """Yield the rest of `ulimit -v`, which limits the memory that a process maps, used or not."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    pages = _lines(root / "proc/self/statm")
    if limit != resource.RLIM_INFINITY and pages:
        yield limit - int(pages[0].split()[0]) * _PAGE


def _number(file: Path) -> int | None:
    """Return the single number in a file; None where it holds the word max or does not exist."""
    words = " ".join(_lines(file)).split()
    return int(words[0]) if len(words) == 1 and words[0].isdigit() else None


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
