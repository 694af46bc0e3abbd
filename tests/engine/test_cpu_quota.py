"""How many threads a run gets, in a container and without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.engine.runtime.cpu_quota import cpu_quota, intra_op_threads, usable_cores

V1, V2 = "sys/fs/cgroup/cpu", "sys/fs/cgroup"


def machine(root: Path, groups: str, files: dict[str, str]) -> Path:
    """Write the files of a machine below `root`."""
    for name, content in {"proc/self/cgroup": groups, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/\n", {f"{V2}/cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {f"{V2}/cpu.max": "max 100000\n"}, None),
        ("0::/a/b\n", {f"{V2}/a/b/cpu.max": "max 100000\n", f"{V2}/a/cpu.max": "200000 100000\n"}, 2.0),
        ("0::/a/b\n", {f"{V2}/a/b/cpu.max": "50000 100000\n", f"{V2}/a/cpu.max": "200000 100000\n"}, 0.5),
        (
            "3:cpuset:/x\n2:cpu,cpuacct:/docker/1\n",
            {f"{V1}/docker/1/cpu.cfs_quota_us": "300000", f"{V1}/docker/1/cpu.cfs_period_us": "100000"},
            3.0,
        ),
        ("1:cpu:/\n", {f"{V1}/cpu.cfs_quota_us": "-1\n", f"{V1}/cpu.cfs_period_us": "100000\n"}, None),
        # In a container with cgroup version 1 the path is the host's, but the mount is the container's.
        ("1:cpu:/docker/1\n", {f"{V1}/cpu.cfs_quota_us": "50000", f"{V1}/cpu.cfs_period_us": "25000"}, 2.0),
        ("0::/\n", {f"{V2}/cpu.max": "nonsense\n"}, None),
        ("0::/\n", {f"{V2}/cpu.max": "1 0\n"}, None),
        ("", {}, None),
    ],
)
def test_the_quota_is_the_smallest_of_all_groups_above(
    tmp_path: Path, groups: str, files: dict[str, str], expected: float | None
) -> None:
    assert cpu_quota(machine(tmp_path, groups, files)) == expected


def test_a_system_without_control_groups_has_no_quota(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path) is None


@pytest.mark.parametrize(
    ("setting", "cores", "quota", "expected"),
    [(0, 8, 1.5, 2), (0, 8, 0.2, 1), (0, 2, 2.0, 0), (0, 2, 6.0, 0), (3, 8, 1.0, 3)],
)
def test_a_run_has_no_more_threads_than_the_quota_allows(
    setting: int, cores: int, quota: float, expected: int
) -> None:
    assert intra_op_threads(setting, cores=cores, quota=quota) == expected


def test_without_a_quota_the_runtime_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.engine.runtime.cpu_quota.cpu_quota", lambda: None)
    assert intra_op_threads(0) == 0
    assert intra_op_threads(5) == 5


def test_this_process_may_use_at_least_one_core() -> None:
    assert usable_cores() >= 1
