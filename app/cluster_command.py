"""The command `ugatit cluster`: replicas on Ray Serve, on this machine or beside others."""

from __future__ import annotations

import gc
import importlib.util
import json
import logging
import os
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

import click

from app.console import print_line, say
from app.settings.load import load_settings
from app.settings.settings import Settings, SettingsError

if TYPE_CHECKING:
    from app.cluster.machine import Machine

# Each command imports its modules when it runs, so that --help does not wait for Ray.


@click.group()
def cluster() -> None:
    """Serve by several replicas of each model, on Ray: `up`, `status` and `down`."""


@cluster.command()
@click.option(
    "--replicas",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="Replicas of each direction.",
)
@click.option(
    "--max-replicas", type=click.IntRange(1, 1000), help="Let Serve add replicas under load, up to so many."
)
@click.option("--replica-gpus", type=click.FloatRange(0), default=0.0, help="GPUs of a replica, such as 0.5.")
@click.option("--foreground", is_flag=True, help="Stay until a signal stops the cluster, as in a container.")
def up(replicas: int, max_replicas: int | None, replica_gpus: float, foreground: bool) -> None:
    """Start Ray, Redis, the replicas and the front on this machine; return once pictures can be sent.

    The front listens at UGATIT_HOST and UGATIT_PORT. The cluster runs until `ugatit cluster down`.
    """
    settings = _settings()
    from pydantic import ValidationError

    from app.cluster.machine import Machine
    from app.cluster.options import ClusterOptions

    try:
        options = ClusterOptions(replicas=replicas, max_replicas=max_replicas, replica_gpus=replica_gpus)
    except ValidationError as error:
        raise SettingsError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
    if settings.workers > 1:
        say("UGATIT_WORKERS has no effect on a cluster; use --replicas.")
    machine = Machine(settings)
    url = machine.up(options, say)
    print_line(f"ugatit serves on {url}; `ugatit cluster down` stops it", logging.INFO)
    if foreground:
        _stay(machine)


def _stay(machine: Machine) -> NoReturn:
    """Stop the cluster at a signal; exit with 1 if its front ends by itself."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while machine.serves and not stop.wait(1):
        pass
    machine.down()
    sys.exit(0 if stop.is_set() else 1)


@cluster.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(as_json: bool) -> None:
    """Print the replicas of the cluster on this machine."""
    settings = _settings()
    from app.cluster.machine import Machine
    from app.cluster.status import cluster_status, summary

    found = cluster_status(Machine(settings).require_record())
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo(summary(found))
    for each in found["replicas"]:
        click.echo(f"  {each['direction']} {each['version']}: pid {each['pid']}, {each['state']}")


@cluster.command()
def down() -> None:
    """Answer the admitted pictures, then stop the cluster on this machine."""
    settings = _settings()
    from app.cluster.machine import Machine

    machine = Machine(settings)
    url = machine.require_record().url
    machine.down()
    click.echo(f"The cluster on {url} has stopped.")


@cluster.command()
@click.option("--address", default="auto", show_default=True, help="Host and port of Ray.")
@click.option("--socket", "inherited", type=int, hidden=True, help="File descriptor of the inherited socket.")
def front(address: str, inherited: int | None) -> NoReturn:
    """Answer HTTP by the replicas of a running cluster, until a signal ends it.

    For clusters of several machines, where `serve deploy` starts the replicas.
    """
    settings = _settings()
    from app.cluster.ray_head import CALLS, connect
    from app.cluster.remote_engine import RemoteEngine
    from app.http.monitoring.logs import configure_logging, log_what_python_prints
    from app.http.server.server import Server, open_socket, url_of

    configure_logging(settings.log_level, settings.log_format)
    if settings.log_format == "json":
        log_what_python_prints()
    if inherited is None:
        listening = open_socket(settings.host, settings.port)
    else:
        listening = socket.socket(fileno=inherited)
    connect(address, CALLS)
    server = Server(settings, RemoteEngine(settings))
    print_line(f"ugatit serves on {url_of(listening)}", logging.INFO)
    gc.freeze()  # as `ugatit serve` does
    server.run(sockets=[listening])
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)  # Ray's threads may still run native code


def _settings() -> Settings:
    """Return the settings.

    Raises:
        SettingsError: one is invalid, or Ray is not installed.
    """
    if importlib.util.find_spec("ray") is None:
        raise SettingsError(
            "A cluster needs Ray, which is not installed; install the extra: ugatit[cluster]."
        )
    return load_settings()
