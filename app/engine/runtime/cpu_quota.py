"""How many cores this process may really use: a container's CPU quota is no smaller number of cores."""

from __future__ import annotations

import math
import os
from pathlib import Path


def threads_for(setting: int, *, cores: int | None = None, quota: float | None = None) -> int:
    """Threads of one run: the setting, or what the quota feeds, or 0, which leaves the choice to the runtime.

    More threads than the quota feeds would all be stopped together for the rest of each period. Without a
    quota the runtimes choose better than we: they know which cores are two halves of one.

    Args:
        setting: `UGATIT_INTRA_OP_THREADS`; 0 leaves the choice to us.
        cores: how many cores the process may run on; asked of the system when None.
        quota: cores' worth of time that the container grants; asked of the system when None.
    """
    quota = cpu_quota() if quota is None else quota
    if setting or quota is None or quota >= (cores or usable_cores()):
        return setting
    return math.ceil(quota)


def share_of(workers: int, *, cores: int | None = None, quota: float | None = None) -> int:
    """Threads of one run where so many workers share the machine: as many cores as each of them has."""
    quota = cpu_quota() if quota is None else quota
    have = cores or usable_cores()
    return max(1, int(min(have, quota or have) / workers))


def usable_cores() -> int:
    """The cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_quota(root: Path = Path("/")) -> float | None:
    """Cores' worth of time that the control groups above this process grant; None without a limit.

    Args:
        root: where `proc` and `sys` lie.
    """
    quotas = [*_quotas_of_version_2(root), *_quotas_of_version_1(root)]
    return min(quotas, default=None)


def _quotas_of_version_2(root: Path) -> list[float]:
    """`cpu.max` holds the quota and its period in microseconds, or the word max; every ancestor binds."""
    quotas = []
    for group in _groups(root, controller=""):
        words = _words(root / "sys/fs/cgroup" / group / "cpu.max")
        if len(words) == 2 and words[0] != "max":
            quotas.append(_ratio(words[0], words[1]))
    return [quota for quota in quotas if quota > 0]


def _quotas_of_version_1(root: Path) -> list[float]:
    """The quota is -1 where there is none."""
    quotas = []
    for group in _groups(root, controller="cpu"):
        folder = root / "sys/fs/cgroup/cpu" / group
        quota, period = _words(folder / "cpu.cfs_quota_us"), _words(folder / "cpu.cfs_period_us")
        if quota and period:
            quotas.append(_ratio(quota[0], period[0]))
    return [quota for quota in quotas if quota > 0]


def _groups(root: Path, *, controller: str) -> list[Path]:
    """This process's group and all above it, relative to the mount; in a container it is often the mount."""
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
