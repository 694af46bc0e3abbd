"""Test the container's health check by running its script."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.packaging.files import ROOT


class Service(HTTPServer):
    """A server whose /readyz answers with `status`."""

    status = HTTPStatus.OK


class Answer(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        self.send_response(self.server.status if self.path == "/readyz" else HTTPStatus.NOT_FOUND)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    with Service(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def check(port: int | str) -> int:
    """Run the health check and return its exit code. A proxy in the environment must not matter."""
    command = [sys.executable, str(ROOT / "docker" / "healthcheck.py"), "/readyz"]
    environment = {**os.environ, "UGATIT_PORT": str(port), "http_proxy": "http://127.0.0.1:9"}
    return subprocess.run(command, env=environment, timeout=120, check=False).returncode


def test_ready_service_is_healthy(service: Service) -> None:
    assert check(service.server_port) == 0


def test_loading_or_draining_service_is_unhealthy(service: Service) -> None:
    service.status = HTTPStatus.SERVICE_UNAVAILABLE
    assert check(service.server_port) == 1


def test_closed_port_is_unhealthy_without_a_traceback(
    service: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    port = service.server_port
    service.shutdown()
    service.server_close()
    assert check(port) == 1
    assert capfd.readouterr().err == ""


def test_kubernetes_port_variable_means_the_default_port(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("healthcheck", ROOT / "docker" / "healthcheck.py")
    assert spec is not None
    assert spec.loader is not None
    healthcheck = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(healthcheck)
    for given, port in (("tcp://10.96.12.7:8000", 8000), ("", 8000), ("8899", 8899)):
        monkeypatch.setenv("UGATIT_PORT", given)
        assert healthcheck.port() == port


def test_kubernetes_port_variable_gives_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    assert check("tcp://10.96.12.7:8000") in (0, 1)
    assert capfd.readouterr().err == ""
