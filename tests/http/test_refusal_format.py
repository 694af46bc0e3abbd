"""Every layer of the service answers errors as problem documents, with a status that OpenAPI declares."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from typing import Any

import pytest

from app.settings.settings import Settings
from tests.fake_engine import FakeModel, fake_engine, write_fake_bundle
from tests.http.live import Live, body_of, read_all, serving
from tests.photos import photo

PICTURE = photo()
TRANSLATE = "POST /translate?direction=cat2dog"
PNG = ("Content-Type: image/png",)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    bundles = tmp_path_factory.mktemp("bundles")
    write_fake_bundle(bundles)
    (write_fake_bundle(bundles, "dog2cat") / "card.md").write_bytes(b"changed")
    settings = Settings(bundles_dir=bundles, body_limit_bytes=10_000, request_read_seconds=0.5)
    with serving(settings, fake_engine(settings, FakeModel())) as live:
        yield live


@dataclass(frozen=True)
class Attack:
    """One request and its expected problem."""

    layer: str
    status: int
    code: str
    request: str
    headers: tuple[str, ...] = ()
    body: bytes = b""
    length: int | None = None
    endless: bool = False

    def __str__(self) -> str:
        return f"{self.layer}-{self.code}-{self.request[:40]}"

    @property
    def bytes(self) -> bytes:
        lines = [f"{self.request} HTTP/1.1", "Host: x", "Connection: close", *self.headers]
        chunked = any(header.startswith("Transfer-Encoding") for header in self.headers)
        if self.length is not None or (self.body and not chunked):
            lines.append(f"Content-Length: {len(self.body) if self.length is None else self.length}")
        head = "\r\n".join(lines).encode("latin-1")
        return head if self.endless else head + b"\r\n\r\n" + self.body


FORM = ("Content-Type: multipart/form-data; boundary=x",)
CHUNKED = (*PNG, "Transfer-Encoding: chunked")
ATTACKS = [
    Attack("server", 400, "malformed_request", "WHAT /healthz"),
    Attack("server", 400, "malformed_request", "GET http://[::1/"),
    Attack("server", 400, "malformed_request", "GET /\xff"),
    Attack("server", 400, "malformed_request", "GET /healthz", ("Two words: x",)),
    Attack("server", 400, "malformed_request", "GET /healthz", ("X-Long: " + "y" * 70_000,), endless=True),
    Attack("server", 400, "malformed_request", "GET /" + "y" * 70_000, endless=True),
    Attack("server", 400, "malformed_request", TRANSLATE, (*PNG, "Content-Length: -1")),
    Attack("server", 400, "malformed_request", TRANSLATE, (*PNG, "Content-Length: 1", "Content-Length: 2")),
    Attack("server", 400, "malformed_request", TRANSLATE, CHUNKED, b"not a length\r\n"),
    Attack("server", 400, "malformed_request", TRANSLATE, (*CHUNKED, "Content-Length: 5"), b"0\r\n\r\n"),
    Attack("server", 400, "malformed_request", "CONNECT elsewhere:443"),
    Attack("body limit", 408, "body_timeout", TRANSLATE, PNG, b"half", length=1000),
    Attack("body limit", 408, "body_timeout", TRANSLATE, CHUNKED, b"4\r\nhalf\r\n"),
    Attack("body limit", 413, "body_too_large", TRANSLATE, PNG, bytes(10_001)),
    Attack("body limit", 413, "body_too_large", TRANSLATE, CHUNKED, b"2711\r\n" + bytes(10_001) + b"\r\n"),
    Attack("multipart", 400, "malformed_multipart", TRANSLATE, FORM, b"no form"),
    Attack("multipart", 422, "missing_file", TRANSLATE, FORM, b"--x--\r\n"),
    Attack(
        "multipart", 422, "unexpected_part", TRANSLATE, FORM, 2 * b"--x\r\nA: b\r\n\r\nc\r\n" + b"--x--\r\n"
    ),
    Attack("routing", 404, "not_found", "GET /nothing"),
    Attack("routing", 404, "not_found", "HEAD /nothing"),
    Attack("routing", 404, "not_found", "OPTIONS /nothing"),
    Attack("routing", 404, "not_found", "GET /page/%00"),
    Attack("routing", 404, "not_found", "GET /page/..%2f..%2fsettings.py"),
    Attack("routing", 404, "not_found", "GET /page/" + "long" * 2000),
    Attack("routing", 405, "method_not_allowed", "GET /translate?direction=cat2dog"),
    Attack("routing", 405, "method_not_allowed", "HEAD /translate"),
    Attack("routing", 405, "method_not_allowed", "DELETE /healthz"),
    Attack("routing", 405, "method_not_allowed", "TRACE /"),
    Attack("routing", 405, "method_not_allowed", "POST /page/page.js"),
    Attack("routing", 405, "method_not_allowed", "CONNECT /healthz"),
    Attack("validation", 422, "missing_option", "POST /translate", PNG, PICTURE),
    Attack("validation", 422, "unknown_option", TRANSLATE + "&colour=jet", PNG, PICTURE),
    Attack("validation", 422, "invalid_option", TRANSLATE + "&alpha=%ff", PNG, PICTURE),
    Attack("validation", 422, "invalid_option", "GET /attention?id=x&size=1025"),
    Attack("validation", 406, "not_acceptable", TRANSLATE, (*PNG, "Accept: text/html"), PICTURE),
    Attack("validation", 415, "unsupported_media_type", TRANSLATE, ("Content-Type: text/x",), PICTURE),
    Attack("pictures", 415, "unsupported_format", TRANSLATE, PNG, b"<svg/>"),
    Attack("pictures", 422, "undecodable", TRANSLATE, PNG, PICTURE[:100]),
    Attack("pictures", 422, "missing_file", TRANSLATE, PNG, length=0),
    Attack("engine", 404, "unknown_direction", "POST /translate?direction=%00", PNG, PICTURE),
    Attack("engine", 404, "attention_gone", "GET /attention?id=%2e%2e"),
    Attack("engine", 503, "direction_defunct", "POST /translate?direction=dog2cat", PNG, PICTURE),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_every_layer_answers_a_declared_problem(live: Live, attack: Attack) -> None:
    with live.raw(attack.bytes) as plain:
        answer = read_all(plain)
    status_line, _, rest = answer.partition(b"\r\n")
    headers = BytesHeaderParser().parsebytes(rest.partition(b"\r\n\r\n")[0])
    assert int(status_line.split()[1]) == attack.status, answer
    assert headers["content-type"] == "application/problem+json"
    if not attack.request.startswith("HEAD"):
        problem = body_of(answer)
        assert (problem["type"], problem["status"]) == ("about:blank", attack.status)
        assert problem["code"] == attack.code
        assert problem["title"]
        assert re.search(r"[.?]$", problem["detail"])
        assert problem["request_id"] == headers["x-request-id"]
    _, document = live.ask("GET", "/openapi.json")
    assert attack.status in declared(document, attack.request)


def declared(document: dict[str, Any], request: str) -> set[int]:
    """Return the statuses that an operation declares; without an operation, the general HTTP statuses."""
    method, target = request.split(" ", 1)
    operation = document["paths"].get(target.partition("?")[0], {}).get(method.lower())
    return {400, 404, 405, 408} if operation is None else {int(status) for status in operation["responses"]}


def test_refusals_of_the_server_have_the_safe_headers(live: Live) -> None:
    refused = live.answer(b"WHAT\r\n\r\n")
    assert b"\r\nx-content-type-options: nosniff\r\n" in refused.lower()


UPGRADE = (
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n"
)
POST = b"POST /translate?direction=cat2dog HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n" % len(PICTURE)
BY_LENGTH = LENGTH + PICTURE
BY_CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(PICTURE), PICTURE)


@pytest.mark.parametrize("body", [BY_LENGTH, BY_CHUNKS], ids=["declared", "chunked"])
def test_picture_posted_with_an_upgrade_to_http_2_is_read(live: Live, body: bytes) -> None:
    with live.raw(POST + UPGRADE + body) as plain:
        assert plain.recv(12) == b"HTTP/1.1 200"


def test_upgrade_is_ignored_at_any_split_of_the_bytes(live: Live) -> None:
    whole = POST + UPGRADE + b"Expect: 100-continue\r\n" + BY_LENGTH
    for cut in (30, len(POST) + 40, len(whole) - len(PICTURE), len(whole) - 1):
        with live.raw(whole[:cut]) as plain:
            plain.sendall(whole[cut:])
            assert plain.recv(12) in (b"HTTP/1.1 200", b"HTTP/1.1 100")
    last = POST + b"Connection: close\r\n" + LENGTH + PICTURE
    answers = live.answer((POST + UPGRADE + BY_LENGTH) * 3 + last)  # one after the other on one connection
    assert answers.count(b"HTTP/1.1 200 ") == 4


def test_websocket_upgrade_is_answered_in_http(live: Live) -> None:
    upgrade = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    with live.raw(upgrade) as plain:
        assert plain.recv(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize("pieces", ["bytes=99999999-", "lines=1-", "bytes=a-b", "bytes=0-1,4-5"])
def test_range_header_is_ignored(live: Live, pieces: str) -> None:
    with live.connect() as connection:
        connection.request("GET", "/page/page.js", headers={"Range": pieces})
        response = connection.getresponse()
        assert (response.status, response.getheader("accept-ranges")) == (200, None)
        assert response.read()
