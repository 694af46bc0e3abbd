"""How many threads a run gets: a container's CPU quota limits CPU time, not the number of visible cores."""

from __future__ import annotations

import math
import os
from pathlib import Path


def intra_op_threads(setting: int, *, cores: int | None = None, quota: float | None = None) -> int:
    """Return the threads of one run: the setting, or as many as the quota allows, or 0: the runtime chooses.

    With more threads than the quota allows, the system would stop all of them for the rest of each period.
    Without a quota the runtimes choose better: they know which logical cores share a physical one.

    Args:
        setting: `UGATIT_INTRA_OP_THREADS`; 0 for automatic.
        cores: how many cores the process may run on; read from the system if None.
        quota: CPU time that the container may use, in cores; read from the system if None.
    """
    quota = cpu_quota() if quota is None else quota
    if setting or quota is None or quota >= (cores or usable_cores()):
        return setting
    return math.ceil(quota)


def threads_per_worker(workers: int, *, cores: int | None = None, quota: float | None = None) -> int:
    """Return the threads of one run if `workers` processes share the cores evenly; at least 1."""
    quota = cpu_quota() if quota is None else quota
    cores = cores or usable_cores()
    return max(1, int(min(cores, quota or cores) / workers))


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_quota(root: Path = Path("/")) -> float | None:
    """Return the CPU time that this process' control groups may use, in cores; None without a limit.

    Args:
        root: the directory of `proc` and `sys`.
    """
    quotas = [*_quotas_of_version_2(root), *_quotas_of_version_1(root)]
    return min(quotas, default=None)


def _quotas_of_version_2(root: Path) -> list[float]:
    """Read `cpu.max`: the quota or the word max, and its period in microseconds. Ancestors' apply too."""
    quotas = []
    for group in _groups(root, controller=""):
        words = _words(root / "sys/fs/cgroup" / group / "cpu.max")
        if len(words) == 2 and words[0] != "max":
            quotas.append(_ratio(words[0], words[1]))
    return [quota for quota in quotas if quota > 0]


def _quotas_of_version_1(root: Path) -> list[float]:
    """Read the quota, -1 for none, and its period in microseconds."""
    quotas = []
    for group in _groups(root, controller="cpu"):
        folder = root / "sys/fs/cgroup/cpu" / group
        quota, period = _words(folder / "cpu.cfs_quota_us"), _words(folder / "cpu.cfs_period_us")
        if quota and period:
            quotas.append(_ratio(quota[0], period[0]))
    return [quota for quota in quotas if quota > 0]


def _groups(root: Path, *, controller: str) -> list[Path]:
    """Return the group of this process and its ancestors, relative to the mount; in a container often `/`."""
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            group = Path(path.strip().lstrip("/"))
            return [group, *group.parents]
    return []


def _ratio(quota: str, period: str) -> float:
    try:
        return int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return 0.0


def _words(path: Path) -> list[str]:
    return " ".join(_lines(path)).split()


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
