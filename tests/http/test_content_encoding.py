"""Content types and encodings of a body."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from app.http.messages.content_encoding import decoder_of
from app.http.problems.request_errors import MalformedEncoding
from tests.http.conftest import MakeClient, MakeLive
from tests.http.live import head, metric
from tests.http.problems import PNG, URL, problem
from tests.photos import photo

BODY = photo(24, 40)


def form(part_header: bytes = b"") -> bytes:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n' + part_header
    return head + b"\r\n" + BODY + b"\r\n--x--\r\n"


def deflated(data: bytes, *, window_bits: int) -> bytes:
    deflate = zlib.compressobj(wbits=window_bits)
    return deflate.compress(data) + deflate.flush()


ENCODED = {
    "gzip": ("gzip", gzip.compress(BODY)),
    "x-gzip": ("X-GZIP", gzip.compress(BODY)),
    "gzip of two members": ("gzip", gzip.compress(BODY[:100]) + gzip.compress(BODY[100:])),
    "gzip with padding": ("gzip", gzip.compress(BODY) + bytes(512)),
    "deflate": ("deflate", zlib.compress(BODY)),
    "deflate without a frame": ("deflate", deflated(BODY, window_bits=-15)),
    "identity": ("identity", BODY),
    "gzip beside identity": ("identity, gzip", gzip.compress(BODY)),
}


@pytest.mark.parametrize(
    "content_type",
    ["image/jpg", "image/pjpeg", "image/x-png", "IMAGE/JPG; q=1", "image/*", "application/octet-stream", ""],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_picture_is_detected_by_its_bytes_under_any_alias_type(
    client: TestClient, content_type: str, kind: str
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    assert client.post(URL, content=photo(form=kind), headers=headers).status_code == 200


@pytest.mark.parametrize("content_type", ["application/octet-stream", "image/jpg", ""])
def test_body_that_is_not_a_picture_answers_415_by_its_bytes(client: TestClient, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    problem(client.post(URL, content=b"no picture", headers=headers), 415, "unsupported_format")


@pytest.mark.parametrize("chunk_bytes", [1, 7, 1 << 20])
@pytest.mark.parametrize("name", ENCODED)
def test_encoded_body_is_decoded(client: TestClient, name: str, chunk_bytes: int) -> None:
    encoding, body = ENCODED[name]
    chunks = (body[at : at + chunk_bytes] for at in range(0, len(body), chunk_bytes))
    response = client.post(URL, content=chunks, headers=PNG | {"Content-Encoding": encoding})
    assert response.status_code == 200, response.text
    assert response.json()["image"] == client.post(URL, content=BODY, headers=PNG).json()["image"]


def test_encoded_form_is_decoded(client: TestClient) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Encoding": "gzip"}
    response = client.post(URL, content=gzip.compress(form()), headers=headers)
    assert response.status_code == 200


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "aws-chunked"])
def test_unsupported_encoding_is_refused_by_name(client: TestClient, encoding: str) -> None:
    response = client.post(URL, content=BODY, headers=PNG | {"Content-Encoding": encoding})
    fields = problem(response, 415, "unsupported_encoding")
    assert response.headers["accept-encoding"] == "gzip, deflate"
    assert "Content-Encoding" in fields["detail"]
    assert encoding in fields["detail"]


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", BODY),
        ("deflate", BODY),
        ("gzip", gzip.compress(BODY)[:-9]),
        ("gzip", gzip.compress(BODY)[:30]),
        ("gzip", gzip.compress(BODY) + b"more"),
        ("deflate", zlib.compress(BODY) + b"more"),
        ("deflate", zlib.compress(BODY)[:-2]),
        ("gzip", b"\x1f"),
        ("gzip", 1001 * gzip.compress(b"")),
    ],
)
def test_body_that_does_not_match_its_encoding_is_refused(
    client: TestClient, encoding: str, body: bytes
) -> None:
    response = client.post(URL, content=body, headers=PNG | {"Content-Encoding": encoding})
    assert encoding in problem(response, 400, "malformed_encoding")["detail"]


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_empty_encoded_body_answers_missing_file(client: TestClient, encoding: str) -> None:
    response = client.post(URL, content=iter([b""]), headers=PNG | {"Content-Encoding": encoding})
    problem(response, 422, "missing_file")


@pytest.mark.parametrize(("over", "status"), [(0, 200), (1, 413)])
def test_byte_limit_applies_to_the_decoded_body(make_client: MakeClient, over: int, status: int) -> None:
    client = make_client(body_limit_bytes=400_000)
    body = gzip.compress(BODY.ljust(400_000 + over, b"\0"))
    response = client.post(URL, content=body, headers=PNG | {"Content-Encoding": "gzip"})
    assert response.status_code == status
    if status == 413:
        problem(response, 413, "body_too_large")


def test_decompression_bomb_is_decoded_in_small_pieces() -> None:
    bomb = decoder_of(["gzip"])
    bomb.feed(gzip.compress(bytes(1 << 28)), last=True)
    assert len(bomb.piece()) <= 1 << 20
    assert bomb.pending


def test_decoded_bytes_count_towards_the_memory_limit(make_live: MakeLive) -> None:
    live = make_live(receiving_bytes=1_000_000)
    body = gzip.compress(BODY.ljust(1_000_001, b"\0"))
    upload = head(
        URL, f"Content-Type: image/png\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n"
    )
    assert b" 503 " in live.answer(upload + body).partition(b"\r\n")[0]
    assert metric(live, "ugatit_receiving_bytes") == 0


@pytest.mark.parametrize(
    ("header", "status", "code"),
    [
        (b"Content-Transfer-Encoding: base64\r\n", 415, "unsupported_encoding"),
        (b"Content-Encoding: gzip\r\n", 415, "unsupported_encoding"),
        (b"Content-Transfer-Encoding: binary\r\n", 200, ""),
    ],
)
def test_form_part_with_its_own_encoding_is_refused_by_name(
    client: TestClient, header: bytes, status: int, code: str
) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    response = client.post(URL, content=form(header), headers=headers)
    assert response.status_code == status
    if status == 415:
        assert header.partition(b":")[0].decode() in problem(response, status, code)["detail"]


def decoded(data: bytes, encoding: str, chunk_bytes: int) -> Iterator[bytes]:
    decoder = decoder_of([encoding])
    for at in range(0, len(data), chunk_bytes):
        decoder.feed(data[at : at + chunk_bytes], last=at + chunk_bytes >= len(data))
        yield decoder.piece()
        while decoder.pending:
            yield decoder.piece()


@pytest.mark.parametrize("size", [0, 1, (1 << 18) - 1, 1 << 18, (1 << 18) + 1, 1 << 20])
def test_decoded_pieces_join_to_the_original_at_any_size(size: int) -> None:
    data = base64.b64encode(bytes(range(256)) * (size // 256 + 1))[:size]
    for encoding, compress in (("gzip", gzip.compress), ("deflate", zlib.compress)):
        for chunk_bytes in (1000, 1 << 16, 1 << 24):
            assert b"".join(decoded(compress(data), encoding, chunk_bytes)) == data


def test_gzip_truncated_at_any_byte_is_refused() -> None:
    data = gzip.compress(b"a picture")
    for end in range(1, len(data)):
        with pytest.raises(MalformedEncoding):
            list(decoded(data[:end], "gzip", 5))
