"""Metrics and log lines of connections."""

from __future__ import annotations

import logging
from contextlib import ExitStack

import pytest

from app.http.server.connections import Connections
from tests.fake_engine import FakeModel
from tests.http.conftest import MakeLive
from tests.http.live import Live, head, held, metric, read_all, until
from tests.http.problems import URL
from tests.http.test_many_clients import BODY, UPLOAD


def rejections(live: Live, code: str) -> float:
    return metric(live, f'ugatit_rejections_total{{code="{code}"}}')


def answers(live: Live, status: int) -> float:
    return metric(live, f'ugatit_requests_total{{method="other",route="other",status="{status}"}}')


def test_refusals_of_the_server_are_counted_and_logged_with_their_status(
    make_live: MakeLive, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ugatit.access")
    live = make_live(request_read_seconds=0.2)
    assert rejections(live, "malformed_request") == rejections(live, "headers_timeout") == 0
    assert live.answer(b"WHAT\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert live.answer(b"GET /healthz HTTP/1.1\r\nX-Slow").startswith(b"HTTP/1.1 408 ")
    assert (answers(live, 400), rejections(live, "malformed_request")) == (1, 1)
    assert (answers(live, 408), rejections(live, "headers_timeout")) == (1, 1)
    refused = [record for record in caplog.records if record.getMessage().startswith("refused")]
    assert [record.status for record in refused] == [400, 408]  # type: ignore[attr-defined]


def test_connection_above_the_limit_is_counted_as_503(make_live: MakeLive, model: FakeModel) -> None:
    live = make_live(max_connections=1)
    model.hold()
    asking = head(URL, f"Content-Type: image/png\r\nConnection: close\r\nContent-Length: {len(BODY)}\r\n")
    with live.raw(asking + BODY) as plain:
        until(lambda: held(live) == 1)
        assert live.answer(b"").startswith(b"HTTP/1.1 503 ")
        model.release()
        assert read_all(plain).startswith(b"HTTP/1.1 200 ")
    assert (answers(live, 503), rejections(live, "too_many_connections")) == (1, 1)


def test_metrics_report_open_and_displaced_connections(
    make_live: MakeLive, caplog: pytest.LogCaptureFixture
) -> None:
    live = make_live(max_connections=4)
    assert metric(live, "ugatit_connections_limit") == 4
    with ExitStack() as stack:
        uploads = [stack.enter_context(live.raw(UPLOAD)) for _ in range(7)]
        for displaced in uploads[:3]:
            assert displaced.recv(1) == b""
        assert metric(live, "ugatit_connections_displaced_total") == 4, "three, and one for this request"
        assert metric(live, "ugatit_connections_open") == 4
    assert "to make room" in caplog.text
    until(lambda: metric(live, "ugatit_connections_open") == 1)


def test_displaced_connections_are_logged_once_every_ten_seconds(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    connections = Connections(8, clock=lambda: now)
    for _ in range(500):
        connections.count_displaced()
    now = 11.0
    connections.count_displaced()
    lines = [record.getMessage() for record in caplog.records]
    assert connections.displaced == 501
    assert [line.split(" waiting")[0] for line in lines] == ["Closed 1", "Closed 500"]
