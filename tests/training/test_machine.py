"""What a machine, a container or a shell's limit leave for a run."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from training.plan.machine import free_disk_bytes, free_memory_bytes

GIB = 1024**3


def root(folder: Path, **files: str) -> Path:
    """A root with 8 GiB available, and files whose slashes are written as double underscores."""
    written = {"proc/meminfo": f"MemTotal: 1 kB\nMemAvailable: {8 * GIB // 1024} kB\n", **files}
    for name, text in written.items():
        file = folder / name.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def test_free_memory_without_a_limit_is_that_of_the_machine(tmp_path: Path) -> None:
    assert free_memory_bytes(root=root(tmp_path)) == 8 * GIB


def test_a_container_limit_applies_and_its_cached_files_count_as_free(tmp_path: Path) -> None:
    group = "sys__fs__cgroup__"
    files = {
        "proc__self__cgroup": "0::/\n",
        f"{group}memory.max": f"{4 * GIB}\n",
        f"{group}memory.current": f"{3 * GIB}\n",
        f"{group}memory.stat": f"anon 5\ninactive_file {1 * GIB}\n",
    }
    assert free_memory_bytes(root=root(tmp_path, **files)) == 2 * GIB


def test_limits_of_parent_groups_apply(tmp_path: Path) -> None:
    group = "sys__fs__cgroup__"
    files = {
        "proc__self__cgroup": "0::/slice/run\n",
        f"{group}slice__run__memory.max": "max\n",
        f"{group}slice__run__memory.current": "5\n",
        f"{group}slice__memory.max": f"{3 * GIB}\n",
        f"{group}slice__memory.current": f"{2 * GIB}\n",
    }
    assert free_memory_bytes(root=root(tmp_path, **files)) == 1 * GIB


def test_limits_of_cgroups_v1_apply(tmp_path: Path) -> None:
    group = "sys__fs__cgroup__memory__"
    files = {
        "proc__self__cgroup": "5:cpu,cpuacct:/a\n4:memory:/docker/a\n",
        f"{group}memory.limit_in_bytes": f"{2 * GIB}\n",
        f"{group}memory.usage_in_bytes": f"{1 * GIB}\n",
        f"{group}memory.stat": "total_inactive_file 0\n",
    }
    assert free_memory_bytes(root=root(tmp_path, **files)) == 1 * GIB


def test_ulimit_applies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (3 * GIB, resource.RLIM_INFINITY))
    files = {"proc__self__statm": f"{GIB // resource.getpagesize()} 1 1 1 0 1 0\n"}
    assert free_memory_bytes(root=root(tmp_path, **files)) == 2 * GIB


def test_free_memory_is_none_if_the_system_does_not_report_it(tmp_path: Path) -> None:
    assert free_memory_bytes(root=tmp_path) is None


def test_free_disk_is_that_of_the_nearest_existing_folder(tmp_path: Path) -> None:
    assert free_disk_bytes(tmp_path / "runs" / "mine") > 0
