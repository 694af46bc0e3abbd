"""Two network namespaces that are connected like two machines, and torchrun in each of them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.cli.command import ROOT, environment

ADDRESSES = ("10.77.0.1", "10.77.0.2")
PORT = 29577
"""Free in a new namespace, whatever the ports in use outside it."""


class Machines:
    """Two network namespaces. A process in one reaches the other only through the device `cable`."""

    def __init__(self, names: tuple[str, str], stack: ExitStack) -> None:
        self.names = names
        self._stack = stack

    def start(self, *arguments: str | Path) -> list[subprocess.Popen[str]]:
        """Start torchrun on both machines, with one process of `ugatit-train` each."""
        return [self._start(number, *map(str, arguments)) for number in range(len(self.names))]

    def _start(self, number: int, *arguments: str) -> subprocess.Popen[str]:
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--nnodes=2", "--nproc-per-node=1"]
        torchrun += [f"--node-rank={number}", f"--master-addr={ADDRESSES[0]}", f"--master-port={PORT}"]
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.names[number], *torchrun, "-m", "training", *arguments],
            # The host's name belongs to an address that the namespace does not have.
            env=environment(GLOO_SOCKET_IFNAME="cable"),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._stack.enter_context(process)
        self._stack.callback(process.terminate)  # torchrun ends its processes then
        return process


@contextmanager
def two_machines() -> Iterator[Machines]:
    """Provide two machines; skip the test where namespaces cannot be made."""
    if shutil.which("ip") is None:
        pytest.skip("needs the command ip to make network namespaces")
    names = (f"ugatit-{os.getpid()}-a", f"ugatit-{os.getpid()}-b")
    with ExitStack() as stack:
        for name in names:
            made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
            if made.returncode != 0:
                pytest.skip(f"cannot make network namespaces here: {made.stderr.strip()}")
            stack.callback(_ip, "netns", "delete", name)
        _ip("link", "add", "cable", "netns", names[0], "type", "veth", "peer", "cable", "netns", names[1])
        for name, address in zip(names, ADDRESSES, strict=True):
            _ip("-n", name, "address", "add", f"{address}/24", "dev", "cable")
            for device in ("lo", "cable"):
                _ip("-n", name, "link", "set", device, "up")
        yield Machines(names, stack)


def kill_worker(torchrun: subprocess.Popen[str]) -> None:
    """Kill the training process that torchrun has started."""
    children = Path(f"/proc/{torchrun.pid}/task/{torchrun.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
