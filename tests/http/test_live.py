"""Behaviour of a real server on a real socket: timeouts, early answers, disconnects, shutdown."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from app.http.server.protocol import BoundedProtocol
from tests.fake_engine import FakeModel
from tests.http.conftest import MakeLive
from tests.http.live import Live, body_of, head, held, read_all, until
from tests.http.problems import PNG, URL
from tests.photos import photo

BODY = photo()


def paths_asked(live: Live) -> list[str]:
    return [each.cycle.scope["path"] for each in live.server.server_state.connections.copy() if each.cycle]


def test_connection_serves_several_pictures(make_live: MakeLive) -> None:
    with make_live().connect() as connection:
        for _ in range(3):
            connection.request("POST", URL, BODY, PNG)
            response = connection.getresponse()
            assert (response.status, response.getheader("connection")) == (200, None)
            response.read()


def test_silent_socket_is_closed_while_others_are_served(make_live: MakeLive) -> None:
    live = make_live(request_read_seconds=1)
    with ExitStack() as stack:
        silent = [stack.enter_context(live.raw(b"")) for _ in range(20)]
        assert live.ask("POST", URL, BODY, PNG)[0] == 200
        assert [plain.recv(1) for plain in silent] == [b""] * 20


def test_incomplete_headers_answer_408(make_live: MakeLive) -> None:
    answer = make_live(request_read_seconds=0.2).answer(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow:")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert body_of(answer)["code"] == "headers_timeout"


def test_second_request_of_a_connection_has_a_header_timeout(make_live: MakeLive) -> None:
    live = make_live(request_read_seconds=1, keep_alive_seconds=600)
    with live.raw(head("/healthz", "", "HEAD")) as plain:
        assert plain.recv(65_536).startswith(b"HTTP/1.1 200 ")  # all of it: a body might come later
        plain.sendall(b"GET /healthz HT")
        assert read_all(plain).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("headers", ["Content-Length: 1000\r\n", "Transfer-Encoding: chunked\r\n"])
def test_missing_body_answers_408(make_live: MakeLive, headers: str) -> None:
    live = make_live(request_read_seconds=0.2)
    answer = live.answer(head(URL, f"Content-Type: image/png\r\n{headers}"))
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answer.lower()
    assert body_of(answer)["code"] == "body_timeout"
    assert held(live) == 0


def test_bytes_that_are_not_http_answer_400(make_live: MakeLive) -> None:
    answer = make_live().answer(b"HELLO\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert body_of(answer)["code"] == "malformed_request"


@pytest.mark.parametrize("endless", [b"X-Big: " + b"y" * 66_000, b"X-Many: 1\r\n" * 6_000])
def test_headers_above_the_limit_answer_400(make_live: MakeLive, endless: bytes) -> None:
    answer = make_live().answer(b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + endless)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert "65,536" in body_of(answer)["detail"]


def test_trailers_above_the_limit_answer_400(make_live: MakeLive) -> None:
    live = make_live()
    headers = head(URL, "Content-Type: image/png\r\nTransfer-Encoding: chunked\r\n")
    with live.raw(headers + b"1\r\nx\r\n0\r\nX-Trailer: ") as plain:
        until(lambda: "/translate" in paths_asked(live))
        plain.sendall(b"y" * 66_000)
        assert read_all(plain).startswith(b"HTTP/1.1 400 ")


def test_small_chunks_do_not_count_as_headers(make_live: MakeLive) -> None:
    live, chunk = make_live(body_limit_bytes=1_000_000), b"1\r\nx\r\n"
    with live.raw(head(URL, "Content-Type: image/png\r\nTransfer-Encoding: chunked\r\n")) as plain:
        plain.sendall(chunk * 100_000 + b"0\r\n\r\n")
        assert plain.recv(12) == b"HTTP/1.1 415"


@pytest.mark.parametrize("times", [1, 40])
def test_client_that_does_not_read_its_answer_is_disconnected(
    make_live: MakeLive, times: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    live = make_live(request_read_seconds=0.2, keep_alive_seconds=1)
    accepted: list[BoundedProtocol] = []
    accept = BoundedProtocol.connection_made

    def note(connection: BoundedProtocol, transport: asyncio.Transport) -> None:
        accept(connection, transport)
        accepted.append(connection)

    monkeypatch.setattr(BoundedProtocol, "connection_made", note)
    with socket.socket() as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.connect(live.address)
        plain.sendall(head("/docs/swagger-ui-bundle.js", "", "GET") * times)
        until(lambda: bool(accepted))
        until(lambda: not live.server.server_state.connections)
        until(lambda: not live.server.server_state.tasks)
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize("chunked", [False, True])
def test_client_that_sends_the_whole_body_can_read_an_early_413(make_live: MakeLive, chunked: bool) -> None:
    body = b"x" * 12_000_000
    with make_live(body_limit_bytes=8_000_000).connect() as connection:
        connection.request("POST", URL, iter([body]) if chunked else body, PNG, encode_chunked=chunked)
        response = connection.getresponse()
        assert response.status == 413
        assert response.getheader("connection") == "close"
        assert b"body_too_large" in response.read()


WAITING = "Content-Type: image/png\r\nContent-Length: {}\r\nExpect: 100-continue\r\n"


def test_expect_continue_gets_413_without_sending_the_body(make_live: MakeLive) -> None:
    answer = make_live(body_limit_bytes=1000).answer(head(URL, WAITING.format(1001)))
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_expect_continue_gets_100(make_live: MakeLive) -> None:
    with make_live().raw(head(URL, WAITING.format(len(BODY)))) as plain:
        assert plain.recv(65_536).startswith(b"HTTP/1.1 100 ")
        plain.sendall(BODY)
        assert plain.recv(12) == b"HTTP/1.1 200"


def test_early_refusal_can_be_read(make_live: MakeLive) -> None:
    status, fields = make_live().ask("POST", "/translate?direction=none", b"x" * 5_000_000, PNG)
    assert (status, fields["code"]) == (404, "unknown_direction")


def test_disconnect_while_waiting_or_running_releases_the_permit(
    make_live: MakeLive, model: FakeModel
) -> None:
    live = make_live()
    model.hold()
    request = head(URL, f"Content-Type: image/png\r\nContent-Length: {len(BODY)}\r\n") + BODY
    with ExitStack() as leaving:
        for _ in range(5):
            leaving.enter_context(live.raw(request))
        until(lambda: held(live) == 5)
    until(lambda: held(live) == 0)
    model.release()
    assert live.ask("POST", URL, BODY, PNG)[0] == 200


def test_disconnect_while_sending_releases_everything(make_live: MakeLive) -> None:
    live = make_live()
    with live.raw(head(URL, "Content-Type: image/png\r\nContent-Length: 100000\r\n") + b"half"):
        pass
    assert live.ask("POST", URL, BODY, PNG)[0] == 200
    assert held(live) == 0


@pytest.mark.parametrize("length", [10, 100_000])
def test_get_with_a_missing_body_is_answered(make_live: MakeLive, length: int, model: FakeModel) -> None:
    live = make_live(request_read_seconds=1, body_limit_bytes=50_000)
    href = live.ask("POST", URL, BODY, PNG)[1]["attention"]["href"]
    while model.entered.acquire(blocking=False):
        pass
    model.hold()
    with live.raw(head(f"{href}&network=local", f"Content-Length: {length}\r\n", "GET")) as plain:
        assert model.entered.acquire(timeout=60)
        model.entered.acquire(timeout=1.2)  # long enough to mistake the client for a disconnected one
        model.release()
        assert read_all(plain).startswith(b"HTTP/1.1 200 ")


def test_stopping_server_answers_admitted_pictures_and_refuses_new_ones(
    make_live: MakeLive, model: FakeModel
) -> None:
    live = make_live()
    model.hold()
    with ThreadPoolExecutor(4) as pool:
        admitted = [pool.submit(live.ask, "POST", URL, BODY, PNG) for _ in range(4)]
        until(lambda: held(live) == 4)
        live.server.stop()
        assert live.ask("POST", URL, BODY, PNG)[1]["code"] == "draining"
        assert live.ask("GET", "/readyz")[0] == 503
        assert b"connection: close" in live.answer(head("/directions", "", "GET")).lower()
        assert live.ask("GET", "/healthz")[0] == 200
        assert not live.server.should_exit
        model.release()
        assert [answer.result()[0] for answer in admitted] == [200] * 4
    live.thread.join(60)
    assert not live.thread.is_alive()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(live.address)


def test_request_on_its_way_while_the_server_stops_is_answered(
    make_live: MakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.http.server.server._CLOSING_SECONDS", 2.0)
    live = make_live()
    with live.raw(head("/healthz", "", "HEAD")) as plain:
        assert plain.recv(65_536).startswith(b"HTTP/1.1 200 ")  # all of it: a body might come later
        live.server.stop()
        until(lambda: refused(live))
        plain.sendall(head("/readyz", "", "GET"))
        assert read_all(plain).startswith(b"HTTP/1.1 503 ")


def refused(live: Live) -> bool:
    try:
        socket.create_connection(live.address).close()
    except ConnectionRefusedError:
        return True
    return False


def test_answer_to_head_has_no_body(make_live: MakeLive) -> None:
    answer = make_live().answer(head("/healthz", "Connection: close\r\n", "HEAD"))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n")
