"""Many clients at once: connections and bodies are limited, and other clients are still served."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.fake_engine import FakeModel
from tests.http.conftest import MakeClient, MakeLive
from tests.http.live import Live, body_of, head, held, metric, read_all, until
from tests.http.problems import PNG, URL
from tests.photos import photo

BODY = photo()
SILENT = int(os.environ.get("UGATIT_TESTS_SILENT_SOCKETS", "200"))
SLOW_BODIES = min(500, SILENT)
"""Fewer, because each is a started request: 2,000 at once take seconds of work."""
UPLOAD = head(URL, "Content-Type: image/png\r\nContent-Length: 1000000\r\n")
_SLOW = {
    "silent": (b"", SILENT),
    "in the middle of its headers": (b"POST /translate HTTP/1.1\r\nHost: x\r\nX-Slow", SILENT),
    "in the middle of its body": (UPLOAD + b"x" * 1000, SLOW_BODIES),
    "after a fast start of its body": (UPLOAD + b"x" * 20_000, SLOW_BODIES),  # three windows' worth of bytes
}


def open_connections(live: Live) -> int:
    connections = live.server.server_state.connections.copy()
    return sum(not each.transport.is_closing() for each in connections)


@pytest.mark.parametrize(("sent", "times"), _SLOW.values(), ids=_SLOW)
def test_many_waiting_connections_are_closed_while_others_are_served(
    make_live: MakeLive, sent: bytes, times: int
) -> None:
    live = make_live(request_read_seconds=3)
    with ExitStack() as stack:
        clients = [stack.enter_context(live.raw(sent)) for _ in range(times)]
        for _ in range(5):
            assert live.ask("POST", URL, BODY, PNG)[0] == 200
            assert live.ask("GET", "/healthz")[0] == 200
        for plain in clients:
            read_until_closed(plain)
    until(lambda: open_connections(live) == 0)
    assert held(live) == 0
    assert metric(live, "ugatit_receiving_bytes") == 0


def read_until_closed(plain: socket.socket) -> None:
    """Read until the server closes the connection; one closed to make room may be reset."""
    try:
        read_all(plain)
    except ConnectionResetError:
        return


def test_new_connection_above_the_limit_closes_the_oldest_waiting_one(make_live: MakeLive) -> None:
    live = make_live(max_connections=8)
    with ExitStack() as stack:
        silent = [stack.enter_context(live.raw(b"")) for _ in range(8)]
        until(lambda: open_connections(live) == 8)
        assert live.ask("GET", "/healthz")[0] == 200
        assert silent[0].recv(1) == b""
        silent[7].sendall(head("/healthz", "Connection: close\r\n", "GET"))
        assert read_all(silent[7]).startswith(b"HTTP/1.1 200 ")


def test_new_connection_gets_503_with_retry_after_if_all_are_being_answered(
    make_live: MakeLive, model: FakeModel
) -> None:
    live = make_live(max_connections=2)
    model.hold()
    asking = head(URL, f"Content-Type: image/png\r\nConnection: close\r\nContent-Length: {len(BODY)}\r\n")
    with live.raw(asking + BODY) as first, live.raw(asking + BODY) as second:
        until(lambda: held(live) == 2)
        refused = live.answer(b"")
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: " in refused.lower()
        assert body_of(refused)["code"] == "too_many_connections"
        model.release()
        assert [read_all(plain)[:13] for plain in (first, second)] == [b"HTTP/1.1 200 "] * 2


def test_full_body_memory_answers_503_with_retry_after(make_live: MakeLive) -> None:
    live = make_live(receiving_bytes=10_000)
    with live.raw(UPLOAD + b"x" * 9_900):
        until(lambda: metric(live, "ugatit_receiving_bytes") == 9_900)
        with live.connect() as connection:
            connection.request("POST", URL, BODY + b"x" * 200, PNG)
            response = connection.getresponse()
            assert response.status == 503
            assert int(response.headers["Retry-After"]) >= 1
            assert json.loads(response.read())["code"] == "receiving_full"
        assert metric(live, "ugatit_receiving_bytes") == 9_900
    until(lambda: metric(live, "ugatit_receiving_bytes") == 0)
    assert live.ask("POST", URL, BODY, PNG)[0] == 200
    assert held(live) == 0


def through_proxy(live: Live, client: str) -> Callable[[bytes], int]:
    def ask(body: bytes) -> int:
        return live.ask("POST", URL, body, PNG | {"X-Forwarded-For": client})[0]

    return ask


def test_uploads_of_one_client_make_room_for_another_client(make_live: MakeLive) -> None:
    live = make_live(receiving_bytes=10_000, trusted_proxies="127.0.0.1")
    upload = UPLOAD.replace(b"Host", b"X-Forwarded-For: 192.0.2.1\r\nHost")
    with live.raw(upload + b"x" * 5000) as first, live.raw(upload + b"x" * 5000) as second:
        until(lambda: metric(live, "ugatit_receiving_bytes") == 10_000)
        assert through_proxy(live, "192.0.2.2")(BODY) == 200
        first.setblocking(False)
        with pytest.raises(BlockingIOError):
            first.recv(1)
        second.sendall(b"x" * 995_000)
        assert body_of(read_all(second))["code"] == "receiving_full"


@pytest.mark.parametrize(("trusted", "named"), [("", "127.0.0.1"), ("127.0.0.1", "192.0.2.9")])
def test_forwarded_client_address_is_used_only_from_a_trusted_proxy(
    make_live: MakeLive, trusted: str, named: str
) -> None:
    live = make_live(trusted_proxies=trusted)
    clients: list[str] = []
    translate = live.engine.translate

    def noting(*arguments: object, client: str, **options: object) -> object:
        clients.append(client)
        return translate(*arguments, client=client, **options)

    live.engine.translate = noting
    assert through_proxy(live, "192.0.2.9")(BODY) == 200
    assert clients == [named]


def test_body_memory_is_released_after_the_answer(make_client: MakeClient) -> None:
    client = make_client(receiving_bytes=len(BODY))
    for _ in range(3):
        assert client.post(URL, content=BODY, headers=PNG).status_code == 200
        assert client.post(URL, content=b"x", headers=PNG).status_code == 415
        assert client.post(URL, content=BODY + b"x", headers=PNG).status_code == 503
