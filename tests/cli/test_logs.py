"""With UGATIT_LOG_FORMAT=json, every line of `ugatit serve` is a JSON object."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import environment, ugatit
from tests.tiny_bundle import write_tiny_bundle

JSON = {"UGATIT_LOG_FORMAT": "json", "UGATIT_PORT": "0"}


def serve_until(
    stop: Callable[[subprocess.Popen[str], dict[str, Any]], bool], **variables: str
) -> list[dict[str, Any]]:
    """Serve until `stop` returns True for a line, then send SIGTERM; return all lines as JSON."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve"],
        env=environment(**JSON, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines: list[dict[str, Any]] = []
    try:
        for line in process.stdout:
            lines.append(json.loads(line))
            if stop(process, lines[-1]):
                process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()
    return lines


def address_in(line: dict[str, Any]) -> tuple[str, int]:
    found = re.search(r"http://([\d.]+):(\d+)", line["message"])
    assert found is not None, line
    return found[1], int(found[2])


def test_every_line_of_a_json_log_is_json(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path, "ant2bee")
    write_tiny_bundle(tmp_path, "cat2dog", canary_off_by=9)
    address: list[tuple[str, int]] = []

    def stop(_process: object, line: dict[str, Any]) -> bool:
        if not address:
            address.append(address_in(line))
        if "is defunct" in line["message"]:
            with socket.create_connection(address[0]) as plain:
                plain.sendall(b"WHAT\r\n\r\n")
        return line["message"] == "refused 400"

    lines = serve_until(stop, UGATIT_BUNDLES_DIR=str(tmp_path))
    assert "serves on" in lines[0]["message"]
    refused = next(line for line in lines if line["message"] == "refused 400")
    assert (refused["status"], refused["problem"], refused["route"]) == (400, "malformed_request", "other")
    assert {line["level"] for line in lines} >= {"info", "error"}


def test_workers_and_supervisor_log_json(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path)
    ready: set[int] = set()

    def stop(process: subprocess.Popen[str], line: dict[str, Any]) -> bool:
        if "is ready" in line["message"]:
            ready.add(line["worker"])
            if ready == {1, 2}:
                kill_child(process.pid)
        return "another starts" in line["message"]

    store = {"UGATIT_WORKERS": "2", "UGATIT_STORE_URL": "redis://127.0.0.1:1/0"}
    lines = serve_until(stop, UGATIT_BUNDLES_DIR=str(tmp_path), **store)
    assert "serves on" in lines[0]["message"]
    assert {line.get("worker") for line in lines} == {None, 1, 2}


def kill_child(parent: int) -> None:
    """Kill one child of a process."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    subprocess.run(["kill", "-9", children[0]], check=True)


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        ([], {"UGATIT_QUEU_SIZE": "1"}, "UGATIT_QUEUE_SIZE"),
        ([], {"UGATIT_QUEUE_SIZE": "none"}, "UGATIT_QUEUE_SIZE"),
        ([], {"UGATIT_HOST": "192.0.2.1"}, "UGATIT_HOST"),
        (["--frobnicate"], {}, "--frobnicate"),
    ],
)
def test_usage_error_is_one_json_line(arguments: list[str], variables: dict[str, str], words: str) -> None:
    result = ugatit("serve", *arguments, **JSON | variables)
    (line,) = (result.stdout + result.stderr).splitlines()
    assert (result.returncode, json.loads(line)["level"]) == (2, "error")
    assert words in json.loads(line)["message"]


def test_warnings_and_tracebacks_are_json(tmp_path: Path) -> None:
    program = """
import gc, threading, warnings
from app.http.monitoring.logs import configure_logging, log_what_python_prints

class Unraisable:
    def __del__(self): raise RuntimeError("in a finaliser")

configure_logging("info", "json", 3)
log_what_python_prints()
warnings.warn("a warning")
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
Unraisable()
raise RuntimeError("in the process")
"""
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, timeout=60
    )
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert result.returncode == 1
    assert "a warning" in lines[0]["message"]
    assert [line["traceback"].splitlines()[-1] for line in lines[1:]] == [
        "ZeroDivisionError: division by zero",
        "RuntimeError: in a finaliser",
        "RuntimeError: in the process",
    ]
    assert {line["worker"] for line in lines} == {3}
