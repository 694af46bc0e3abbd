"""Spans of requests, in memory and at a collector."""

from __future__ import annotations

import itertools
import json
import logging
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient

from app.http.factory import create_app
from app.http.monitoring.logs import JsonFormatter
from app.http.monitoring.spans import OpenTelemetryTracing
from app.http.monitoring.tracing import open_tracing
from app.settings.settings import Settings, SettingsError
from tests.cli.command import environment
from tests.fake_engine import FakeModel, fake_engine
from tests.http.live import Live, serving
from tests.http.problems import PNG, URL
from tests.photos import photo

TRACE_ID, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
STAGES = ["decode", "queue", "inference", "encode"]

Ask = Callable[[TestClient], object]


@pytest.fixture
def spans_of(tmp_path: Path, model: FakeModel) -> Callable[[Ask], list[ReadableSpan]]:
    """Return a function that sends requests and returns their spans in the order of their ends."""

    def ask(question: Ask) -> list[ReadableSpan]:
        exporter = InMemorySpanExporter()
        settings = Settings(bundles_dir=tmp_path / "bundles")
        engine = fake_engine(settings, model)
        app = create_app(settings, engine, OpenTelemetryTracing(exporter))
        with TestClient(app, raise_server_exceptions=False) as client:
            assert client.portal is not None
            client.portal.call(engine.wait_until_loaded)
            question(client)
        return list(exporter.get_finished_spans())

    return ask


def translate(client: TestClient, **headers: str) -> None:
    assert client.post(URL, content=photo(), headers={**PNG, **headers}).status_code == 200


def test_translation_is_a_request_span_with_its_stages_in_order(
    spans_of: Callable[[Ask], list[ReadableSpan]],
) -> None:
    *stages, request = spans_of(translate)
    assert request.name == "POST /translate"
    assert request.parent is None
    assert [stage.name for stage in stages] == STAGES
    assert all(stage.parent == request.context for stage in stages)
    moments = [request.start_time, *itertools.chain(*((s.start_time, s.end_time) for s in stages))]
    assert moments == sorted(moments, key=lambda moment: moment or 0)
    assert stages[-1].end_time <= request.end_time


def test_request_span_has_the_attributes_of_the_run(spans_of: Callable[[Ask], list[ReadableSpan]]) -> None:
    *_, request = spans_of(translate)
    attributes = dict(request.attributes or {})
    assert len(str(attributes.pop("ugatit.request_id"))) == 16
    assert len(str(attributes.pop("ugatit.model_version"))) == 12
    assert attributes == {
        "http.request.method": "POST",
        "http.route": "/translate",
        "http.response.status_code": 200,
        "ugatit.direction": "cat2dog",
        "ugatit.batch_pictures": 1,
        "ugatit.provider": "FakeExecutionProvider",
    }
    assert request.resource.attributes["service.name"] == "ugatit"


def test_trace_continues_the_callers_trace(spans_of: Callable[[Ask], list[ReadableSpan]]) -> None:
    *stages, request = spans_of(lambda client: translate(client, traceparent=f"00-{TRACE_ID}-{CALLER}-01"))
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" == CALLER
    assert {f"{span.context.trace_id:032x}" for span in (*stages, request)} == {TRACE_ID}


def test_request_not_sampled_by_the_caller_is_not_exported(
    spans_of: Callable[[Ask], list[ReadableSpan]],
) -> None:
    assert not spans_of(lambda client: translate(client, traceparent=f"00-{TRACE_ID}-{CALLER}-00"))


def test_invalid_traceparent_starts_a_new_trace(spans_of: Callable[[Ask], list[ReadableSpan]]) -> None:
    *_, request = spans_of(lambda client: translate(client, traceparent="00-xyz-01"))
    assert request.parent is None


def test_only_5xx_answers_have_error_status(
    spans_of: Callable[[Ask], list[ReadableSpan]], model: FakeModel
) -> None:
    def ask(client: TestClient) -> None:
        client.post(URL, content=b"nothing", headers=PNG)
        model.failures = 2
        client.post(URL, content=photo(), headers=PNG)

    client_error, server_error = spans_of(ask)
    assert (client_error.attributes or {})["error.type"] == "unsupported_format"
    assert client_error.status.is_unset
    assert (server_error.attributes or {})["error.type"] == "direction_defunct"
    assert not server_error.status.is_ok
    assert not server_error.status.is_unset


def test_monitoring_requests_have_no_spans(spans_of: Callable[[Ask], list[ReadableSpan]]) -> None:
    assert not spans_of(lambda client: [client.get(path) for path in ("/healthz", "/readyz", "/metrics")])


def test_log_line_has_the_trace_id(
    spans_of: Callable[[Ask], list[ReadableSpan]], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "ugatit.access"):
        *_, request = spans_of(translate)
    (record,) = [record for record in caplog.records if record.name == "ugatit.access"]
    assert json.loads(JsonFormatter().format(record))["trace_id"] == f"{request.context.trace_id:032x}"


class Collector(HTTPServer):
    """Receives OTLP over HTTP, as an OpenTelemetry collector does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Post)
        self.received: list[Any] = []


class Post(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        sent = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.received.append((self.path, sent))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def serve_one(settings: Settings, model: FakeModel) -> None:
    """Translate a picture with a server that stops afterwards."""
    with serving(settings, fake_engine(settings, model)) as live:
        assert post(live) == 200


def post(live: Live) -> int:
    return live.ask("POST", URL, photo(), PNG)[0]


def test_server_sends_its_last_spans_before_it_exits(
    collector: Collector, model: FakeModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "ours")
    serve_one(Settings(bundles_dir=tmp_path / "bundles", tracing=True), model)
    ((path, sent),) = collector.received
    assert path == "/v1/traces"
    (resource,) = sent.resource_spans
    assert {("service.name", "ours")} <= {(a.key, a.value.string_value) for a in resource.resource.attributes}
    assert [span.name for span in resource.scope_spans[0].spans] == [*STAGES, "POST /translate"]


def test_server_serves_and_exits_without_a_collector(
    model: FakeModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.http.monitoring.spans._FLUSH_SECONDS", 0.1)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    serve_one(Settings(bundles_dir=tmp_path / "bundles", tracing=True), model)


def test_tracing_without_opentelemetry_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "app.http.monitoring.spans")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(SettingsError, match=re.escape("pip install 'ugatit[tracing]'")):
        open_tracing(Settings(tracing=True))


def test_opentelemetry_is_not_imported_if_tracing_is_off() -> None:
    code = "import sys, app.cli, app.http.server.server; sys.exit('opentelemetry.sdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=environment(), timeout=60).returncode == 0
