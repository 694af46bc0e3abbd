"""Test the dashboard and the alerts with a real Prometheus and the real service."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.settings.settings import Settings
from tests.client import URL
from tests.fake_engine import FakeModel, fake_engine, write_fake_bundle
from tests.http.live import Live, serving
from tests.monitoring.files import FOLDER, RULES, panels, required, rules
from tests.packaging.files import text
from tests.photos import photo

_TIMEOUT_SECONDS = 60
PNG = {"Content-Type": "image/png"}


class Prometheus:
    """A client of a running Prometheus."""

    def __init__(self, address: str) -> None:
        self._address = address

    def get(self, path: str, **query: str) -> Any:
        """Return the data of an API answer; None while Prometheus starts."""
        url = f"{self._address}{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=60) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 503:
                    return None
                pytest.fail(f"{path} {query}: {error.read().decode()}")
        except urllib.error.URLError:
            return None

    def query(self, expression: str) -> list[Any]:
        """Return the current series of an expression."""
        expanded = re.sub(r"\$(direction|instance)", ".*", expression.replace("$__rate_interval", "1m"))
        data = self.get("/api/v1/query", query=expanded)
        return data["result"] if data else []


@contextmanager
def prometheus(folder: Path, service: Live) -> Iterator[Prometheus]:
    """Run Prometheus with our configuration, at short intervals and with the test's service as its target."""
    configuration = yaml.safe_load(text(f"{FOLDER}/prometheus.yml"))
    configuration["global"] = {"scrape_interval": "200ms", "evaluation_interval": "200ms"}
    configuration["rule_files"] = [str(RULES)]
    configuration["scrape_configs"][0]["static_configs"][0]["targets"] = ["{}:{}".format(*service.address)]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    options = {"config.file": folder / "prometheus.yml", "storage.tsdb.path": folder / "data"}
    options |= {"web.listen-address": listen, "log.level": "error"}
    command = [required("prometheus"), *(f"--{name}={value}" for name, value in options.items())]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        yield Prometheus(f"http://{listen}")
        assert process.poll() is None, process.communicate()[1]
    finally:
        process.terminate()
        process.communicate(timeout=_TIMEOUT_SECONDS)


def wait_until(condition: Callable[[], object], failure: str) -> None:
    """Wait until a condition holds; fail with a message after a minute."""
    end = time.monotonic() + _TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < end, failure
        time.sleep(0.05)


def test_every_panel_and_alert_has_data_of_a_service_in_use(tmp_path: Path) -> None:
    required("prometheus")
    model, settings = FakeModel(), Settings(bundles_dir=tmp_path / "bundles")
    for direction in ("cat2dog", "dog2cat"):
        write_fake_bundle(settings.bundles_dir, direction)
    with serving(settings, fake_engine(settings, model)) as live, prometheus(tmp_path, live) as client:
        wait_until(lambda: client.query("up == 1"), "the service was never scraped")
        other = URL.replace("cat2dog", "dog2cat")
        assert live.ask("POST", other, photo(), PNG)[0] == 200
        assert live.ask("POST", other, b"nothing", PNG)[0] == 415
        model.failures = 1_000
        assert live.ask("POST", URL, photo(), PNG)[0] == 503
        model.failures = 0
        for panel in panels():
            for expression in panel.expressions:
                wait_until(
                    lambda expression=expression: client.query(expression), f"{panel.title}: {expression}"
                )
        wait_until(lambda: states(client).get("UgatitDirectionDefunct") == "pending", str(states(client)))
        assert states(client)["UgatitInternalErrors"] == "inactive"
        assert states(client).keys() == {rule["alert"] for rule in rules()}


def states(client: Prometheus) -> dict[str, str]:
    """Return each alert's state by its name."""
    (group,) = client.get("/api/v1/rules")["groups"]
    assert {rule["health"] for rule in group["rules"]} <= {"ok", "unknown"}, group
    return {rule["name"]: rule["state"] for rule in group["rules"]}
