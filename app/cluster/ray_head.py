"""Start Ray on this machine, reachable from this machine only, and connect to it."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from app.cluster.options import NAMESPACE
from app.settings.settings import SettingsError

_OBJECT_STORE_BYTES: Final = 200 * 1024**2
"""For what is larger than a message. Ray's default is a third of the memory."""
CALLS: Final = {
    # Frames of up to 1,024 px travel in the messages of Ray, which are faster than its object store.
    "RAY_max_direct_call_object_size": str(4 * 1024**2),
    # Serve's router stays in the caller's event loop, which is the only one of its process.
    "RAY_SERVE_RUN_ROUTER_IN_SEPARATE_LOOP": "0",
}
"""The variables of a process that calls replicas."""


def ray_environment(token: str) -> dict[str, str]:
    """Return the variables of every process that uses the cluster's Ray.

    Args:
        token: the secret that Ray requires of those that connect.
    """
    return {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": token,
        # Ray listens on 127.0.0.1 instead of every address. The name tells for which systems that is the
        # default.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        # Ray would give workers the lowest priority. They are the service: other work must not stop them.
        "RAY_worker_niceness": "0",
        # A node that is asked to end would wait 30 s for another to take its work. A cluster of one machine
        # has no other, and its front has answered all pictures by then.
        "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",
        "RAY_DEDUP_LOGS": "0",
    }


def serve_environment(token: str) -> dict[str, str]:
    """Return the variables of every process of a cluster that serves.

    Args:
        token: the secret that Ray requires of those that connect.
    """
    return ray_environment(token) | {
        # A replica that hangs cannot finish its pictures: they are sent to another at once.
        "RAY_SERVE_FORCE_STOP_UNHEALTHY_REPLICAS": "1",
        # A replica's code stays in Serve's event loop, which it blocks only while it starts.
        "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
        **CALLS,
    }


def head_command(port: int, folder: Path) -> list[str]:
    """Return the command that runs Ray's processes until it is stopped.

    Args:
        port: of the cluster.
        folder: for Ray's logs and sockets.
    """
    options = {
        "port": port,
        "node-ip-address": "127.0.0.1",
        "ray-client-server-port": free_port(),
        "dashboard-agent-listen-port": free_port(),
        "include-dashboard": "false",
        "include-log-monitor": "false",  # logs stay in their files
        "object-store-memory": _OBJECT_STORE_BYTES,
        "num-cpus": os.cpu_count() or 1,
        "temp-dir": folder,
    }
    return [
        *(sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--disable-usage-stats"),
        *(f"--{name}={value}" for name, value in options.items()),
    ]


def connect(address: str, environment: Mapping[str, str] | None = None) -> None:
    """Connect this process to a cluster.

    Args:
        address: host and port of its Ray; `auto` finds the one that runs on this machine.
        environment: variables that must be set before ray is imported.

    Raises:
        SettingsError: no cluster answers there.
    """
    os.environ.update(environment or {})
    import ray

    try:
        ray.init(
            address=address,
            namespace=NAMESPACE,
            log_to_driver=False,
            logging_level="ERROR",
            configure_logging=False,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise SettingsError(
            f"No Ray cluster answers at {address} ({type(error).__name__}); start one by "
            "`ugatit cluster up` or `ray start`, or correct RAY_ADDRESS."
        ) from None


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
    return port


def answers(port: int) -> bool:
    """Return whether something listens on a port of this machine."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
