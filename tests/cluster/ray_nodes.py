"""A Ray of several nodes on this machine, as an operator starts it, and a front that uses it."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from app.cluster import processes
from app.cluster.processes import StartedProcess
from app.cluster.ray_head import answers, free_port, serve_environment
from tests.cli.command import ROOT, environment
from tests.cluster.live_cluster import LiveCluster, wait

_STOP_SECONDS = 10


class RayNodes:
    """Nodes of one Ray: each has a raylet, and the raylet's workers."""

    def __init__(self, folder: Path, bundles: Path, port: int) -> None:
        # Several nodes on one machine are only possible at its own address, which Ray then uses for all.
        self._address = own_address()
        self._ray_port, self._dashboard_port = free_port(), free_port()
        self._folder = folder
        self._started: list[StartedProcess] = []
        settings = {"UGATIT_PORT": str(port), "UGATIT_BUNDLES_DIR": str(bundles), "UGATIT_LOG_LEVEL": "error"}
        self.variables: Mapping[str, str] = environment(
            **settings,
            **serve_environment(secrets.token_hex(32)) | {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1"},
        )

    def start_head(self) -> None:
        """Start the first node; it has one core for replicas, and one GPU as far as Ray knows."""
        self._start_node(
            *("--head", f"--port={self._ray_port}", f"--temp-dir={self._folder / 'ray'}"),
            *("--dashboard-host=127.0.0.1", f"--dashboard-port={self._dashboard_port}"),
            *(f"--ray-client-server-port={free_port()}", "--num-cpus=1", "--num-gpus=1"),
        )
        wait(lambda: answers(self._dashboard_port) and bool(self._raylets()), "Ray answers")

    def add_node(self, cores: int) -> int:
        """Start another node; return the process id of its raylet, with which its workers end."""
        before = self._raylets()
        self._start_node(f"--address={self._address}:{self._ray_port}", f"--num-cpus={cores}")
        wait(lambda: bool(self._raylets() - before), "another node runs")
        return (self._raylets() - before).pop()

    def start_front(self) -> None:
        """Start the front, as often as it needs: until the first node has joined, it finds no Ray."""
        command = ["-m", "app", "cluster", "front", "--address", f"{self._address}:{self._ray_port}"]
        port = int(self.variables["UGATIT_PORT"])

        def serves() -> bool:
            if not processes.is_running(self._started[-1]):
                self._started.pop()
                self._run("front", [sys.executable, *command])
            return answers(port)

        self._run("front", [sys.executable, *command])
        wait(serves, "the front answers")

    def deploy(self, config: Path) -> subprocess.CompletedProcess[str]:
        """Run `serve deploy`."""
        serve = Path(sys.executable).with_name("serve")
        return subprocess.run(
            [serve, "deploy", config, "--address", f"http://127.0.0.1:{self._dashboard_port}"],
            **{"cwd": ROOT, "env": self.variables, "capture_output": True, "text": True, "timeout": 120},
        )

    def stop(self) -> None:
        """End all processes, the last one first."""
        for process in reversed(self._started):
            processes.stop(process, _STOP_SECONDS)

    def _start_node(self, *options: str) -> None:
        own = [f"--node-ip-address={self._address}", f"--dashboard-agent-listen-port={free_port()}"]
        small = ["--object-store-memory=200000000", "--include-log-monitor=false", "--disable-usage-stats"]
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *own, *small, *options]
        self._run(f"node-{len(self._started)}", command)

    def _raylets(self) -> set[int]:
        """Return the process ids of the raylets; this Ray's folder is in their commands."""
        folder = os.fsencode(self._folder / "ray")
        return {
            pid
            for pid, command in _commands()
            if command.split(b"\0")[0].endswith(b"/raylet/raylet") and folder in command
        }

    def _run(self, name: str, command: list[str]) -> None:
        self._started.append(processes.start(command, self._folder / f"{name}.log", self.variables))


@contextmanager
def first_node(folder: Path, bundles: Path) -> Iterator[tuple[RayNodes, LiveCluster]]:
    """Start one node with one core, and a front."""
    nodes = RayNodes(folder, bundles, free_port())
    try:
        nodes.start_head()
        # A driver takes the first node at its address for its own: the front must find only the first one.
        nodes.start_front()
        yield nodes, LiveCluster(dict(nodes.variables))
    finally:
        nodes.stop()


def own_address() -> str:
    """Return the address of this machine that others reach; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect(("192.0.2.1", 1))  # documentation's network, RFC 5737
        address: str = probe.getsockname()[0]
        return address
    return socket.gethostbyname(socket.gethostname())


def replicas_of(direction: str) -> dict[int, int]:
    """Return the process ids of a direction's replicas, and of the raylet of each."""
    name = f"ServeReplica:ugatit-{direction}".encode()
    return {pid: _parent(pid) for pid, command in _commands() if command.startswith(b"ray::" + name)}


def _commands() -> Iterator[tuple[int, bytes]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            yield int(folder.name), (folder / "cmdline").read_bytes()


def _parent(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0
