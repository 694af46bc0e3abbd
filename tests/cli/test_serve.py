"""`ugatit serve` as a process: its settings, its signals, its exit codes."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.settings.environment import variable
from app.settings.settings import Settings
from tests.cli.command import environment, signals_delivered, ugatit
from tests.photos import photo
from tests.tiny_bundle import version, write_tiny_bundle


def log_of(bundles: Path) -> Path:
    """Return the log file of the process that serves these bundles; an unread pipe would block it."""
    return bundles.with_name(f"{bundles.name}.log")


@contextmanager
def server(bundles: Path, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a serving process; yield it with its host and port."""
    settings = {"UGATIT_PORT": "0", "UGATIT_BUNDLES_DIR": str(bundles), "UGATIT_LOG_FORMAT": "json"}
    with log_of(bundles).open("w") as log, signals_delivered():
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve"],
            env=environment(**settings | variables),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert process.stdout is not None
        address = re.search(r"http://(\S+)", process.stdout.readline())
        assert address is not None, log_of(bundles).read_text()
        yield process, address[1]
    finally:
        process.kill()
        process.communicate()


def connect(host: str) -> closing[http.client.HTTPConnection]:
    return closing(http.client.HTTPConnection(host, timeout=60))


def status(connection: http.client.HTTPConnection, path: str) -> int:
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    return response.status


def until_ready(host: str) -> None:
    with connect(host) as connection:
        while status(connection, "/readyz") != 200:
            time.sleep(0.01)


def read(host: str, path: str) -> Any:
    with connect(host) as connection:
        connection.request("GET", path)
        return json.load(connection.getresponse())


def until_served(host: str, version: str) -> None:
    while read(host, "/directions")["directions"][0]["model"]["version"] != version:
        time.sleep(0.01)


def until_ready_with(host: str, states: dict[str, str]) -> None:
    while read(host, "/readyz").get("directions") != states:
        time.sleep(0.01)


IN_A_TERMINAL = """
import os, sys
os.open(sys.argv[1], os.O_RDWR)  # the first terminal that a session opens becomes its own
sys.argv[1:] = ["serve"]
from app.cli import main
main()
"""


@pytest.mark.parametrize("stop_signal", [signal.SIGTERM, signal.SIGINT])
def test_stop_under_load_answers_everyone_and_exits_0(tmp_path: Path, stop_signal: signal.Signals) -> None:
    write_tiny_bundle(tmp_path)
    with server(tmp_path, UGATIT_QUEUE_SIZE="64") as (process, host), ExitStack() as stack:
        until_ready(host)
        connections = [stack.enter_context(connect(host)) for _ in range(16)]
        assert {status(connection, "/healthz") for connection in connections} == {200}
        for connection in connections:
            connection.request("POST", "/translate?direction=cat2dog", photo(), {"Content-Type": "image/png"})
        process.send_signal(stop_signal)
        assert {connection.getresponse().status for connection in connections} <= {200, 503}
        assert process.wait(60) == 0
    lines = [json.loads(line) for line in log_of(tmp_path).read_text().splitlines()]
    assert {line["level"] for line in lines} == {"info"}, lines


def test_sighup_swaps_bundles_under_load_without_failed_requests(tmp_path: Path) -> None:
    versions = [version(write_tiny_bundle(tmp_path, words=f"Version {n}.")) for n in range(6)]
    write_tiny_bundle(tmp_path, words="Version 0.")
    outcomes: list[tuple[int, str]] = []
    over = threading.Event()

    def ask(host: str) -> None:
        with connect(host) as connection:
            while not over.is_set():
                connection.request(
                    "POST", "/translate?direction=cat2dog", photo(), {"Content-Type": "image/png"}
                )
                response = connection.getresponse()
                outcomes.append((response.status, json.load(response).get("model", {}).get("version")))

    with server(tmp_path) as (process, host), ThreadPoolExecutor(4) as pool:
        until_ready(host)
        asking = [pool.submit(ask, host) for _ in range(4)]
        try:
            for n, expected in enumerate(versions[1:], 1):
                write_tiny_bundle(tmp_path, words=f"Version {n}.")
                process.send_signal(signal.SIGHUP)
                until_served(host, expected)
            write_tiny_bundle(tmp_path, "dog2cat")
            write_tiny_bundle(tmp_path, canary_off_by=9)
            process.send_signal(signal.SIGHUP)
            until_ready_with(host, {"cat2dog": "degraded", "dog2cat": "ready"})
        finally:
            over.set()
        for one in asking:
            one.result(60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert {status for status, _ in outcomes} == {200}
    assert {version for _, version in outcomes} == set(versions)


def test_sighup_ends_the_service_if_reloading_is_off(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path)
    with server(tmp_path, UGATIT_RELOAD="off") as (process, host):
        until_ready(host)
        process.send_signal(signal.SIGHUP)
        assert process.wait(60) == -signal.SIGHUP


def test_closed_terminal_stops_the_service_gracefully(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path)
    master, slave = os.openpty()
    settings = {"UGATIT_PORT": "0", "UGATIT_BUNDLES_DIR": str(tmp_path)}
    with signals_delivered():
        process = subprocess.Popen(
            [sys.executable, "-c", IN_A_TERMINAL, os.ttyname(slave)],
            env=environment(**settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
    os.close(slave)
    try:
        assert process.stdout is not None
        address = re.search(r"http://(\S+)", process.stdout.readline())
        assert address is not None
        until_ready(address[1])
        os.close(master)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()


def test_start_logs_no_warnings(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path)
    with server(tmp_path, UGATIT_PROVIDER="auto") as (process, host):
        until_ready(host)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
    messages = [json.loads(line)["message"] for line in log_of(tmp_path).read_text().splitlines()]
    *races, ready, leaving = messages
    assert all(race.endswith(" runs models the fastest here") for race in races)  # where there was a choice
    assert ready.startswith("cat2dog is ready on ")
    assert leaving.startswith("Stopping")


def test_occupied_port_is_refused_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = ugatit("serve", UGATIT_PORT=port, UGATIT_BUNDLES_DIR=str(tmp_path))
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert port in result.stderr
    assert "UGATIT_PORT" in result.stderr


def test_missing_required_gpu_refuses_the_start() -> None:
    result = ugatit("serve", UGATIT_REQUIRE_GPU="1")
    assert result.returncode == 2
    assert result.stderr.startswith("ugatit: UGATIT_REQUIRE_GPU is set")
    assert result.stderr.count("\n") == 1


def test_help_lists_every_setting_with_its_default() -> None:
    text = " ".join(ugatit("serve", "--help").stdout.split())
    for name, field in Settings.model_fields.items():
        assert variable(name) in text
        assert f"[default: {field.default}]" in text
