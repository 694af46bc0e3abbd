"""The mistakes of users of `ugatit cluster`: one sentence each, before anything is started."""

from __future__ import annotations

import importlib.util
import shutil
import socket
from pathlib import Path

import pytest

from app.cli import cli
from app.cluster import processes
from app.cluster.machine import require_gpus
from app.cluster.options import ClusterOptions
from app.cluster.record import ClusterRecord, folder_of, write_record
from app.cluster.status import cluster_status, summary
from app.settings.load import load_settings
from app.settings.settings import SettingsError
from tests.tiny_bundle import write_tiny_bundle


@pytest.fixture(autouse=True)
def free_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Set a port at which no cluster runs, and a folder of bundles."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        monkeypatch.setenv("UGATIT_PORT", str(free.getsockname()[1]))
    monkeypatch.setenv("UGATIT_BUNDLES_DIR", str(tmp_path))


def refusal(*arguments: str) -> str:
    """Return the sentence of the refused command."""
    with pytest.raises(SettingsError) as refused:
        cli.main(["cluster", *arguments], standalone_mode=False)
    return str(refused.value)


@pytest.mark.parametrize("command", ["up", "status", "down", "front"])
def test_without_ray_every_command_names_the_extra(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert "install the extra: ugatit[cluster]" in refusal(command)


@pytest.mark.parametrize("command", ["status", "down"])
def test_without_a_cluster_the_command_names_the_one_that_starts_it(command: str) -> None:
    assert "No cluster runs on 127.0.0.1" in refusal(command)
    assert "`ugatit cluster up`" in refusal(command)


def test_up_without_a_bundle_is_refused(tmp_path: Path) -> None:
    assert f"There is no bundle in {tmp_path}" in refusal("up")


def test_up_at_a_taken_port_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("UGATIT_PORT", str(taken.getsockname()[1]))
        assert "set another UGATIT_HOST or UGATIT_PORT" in refusal("up")


def test_fewer_replicas_at_most_than_at_least_are_refused(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path)
    assert "max_replicas must be at least replicas (3), got 2" in refusal(
        "up", "--replicas", "3", "--max-replicas", "2"
    )


def test_a_share_of_several_gpus_is_refused(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path)
    assert "a share of one GPU, or a whole number, got 1.5" in refusal("up", "--replica-gpus", "1.5")


def test_more_gpus_than_the_machine_has_are_refused() -> None:
    with pytest.raises(SettingsError, match="need 2 GPUs, this machine has 1; lower --replicas"):
        require_gpus(ClusterOptions(replicas=4, replica_gpus=0.5), 1)


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        ([], "serves on URL."),
        (["redis"], "serves on URL, without heat maps"),
        (["front", "ray"], "on URL does not serve: front and Ray ended; start a new one by"),
    ],
)
def test_status_says_what_has_ended(ended: list[str], said: str) -> None:
    running = {name: {"pid": 1, "state": "running"} for name in ("front", "ray", "redis")}
    status = {"url": "URL", "replicas": [], **running}
    status |= {name: {"pid": 1, "state": "ended"} for name in ended}
    assert said in summary(status)


def test_a_redis_that_outlived_its_cluster_is_stopped_by_down(capsys: pytest.CaptureFixture[str]) -> None:
    settings = load_settings()
    folder = folder_of(settings)
    folder.mkdir(mode=0o700)
    redis = processes.start([shutil.which("sleep") or "", "600"], folder / "redis.log", {})
    record = ClusterRecord(url="http://127.0.0.1:1", ray_address="127.0.0.1:1", ray_token="", redis=redis)
    write_record(folder, record)
    assert cluster_status(record)["redis"]["state"] == "running"
    cli.main(["cluster", "down"], standalone_mode=False)
    assert "has stopped" in capsys.readouterr().out
    assert not processes.is_running(redis)
    assert not folder.exists()
