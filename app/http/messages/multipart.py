"""Extract the only file from a multipart/form-data body in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

from app.http.problems.request_errors import (
    MalformedMultipart,
    MissingFile,
    UnexpectedPart,
    UnsupportedEncoding,
)

_PLAIN_ENCODINGS = (b"", b"identity", b"binary", b"8bit", b"7bit")
_REMEDY = "send it as curl -F file=@photo.jpg does"


class _Collector:
    """The parser's callbacks. The body is parsed in one piece, so its content is at most a few slices."""

    def __init__(self) -> None:
        self.headers: dict[bytes, bytes] = {}
        self.chunks: list[bytes] = []
        self.started = self.finished = False
        self._name = b""
        self._value = b""

    def on_part_begin(self) -> None:
        if self.started:  # stop early: a body may have a million parts
            raise UnexpectedPart("The form must have exactly one part, file; send options in the query.")
        self.started = True

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        self.headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self.chunks.append(data[start:end])

    def on_end(self) -> None:
        self.finished = True


def boundary_of(content_type: str) -> bytes:
    """Return the boundary in a Content-Type header.

    Raises:
        MalformedMultipart: the header has no boundary.
    """
    boundary: bytes | None = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise MalformedMultipart(f"The Content-Type of a form must have a boundary, got none; {_REMEDY}.")
    return boundary


def only_file(body: bytes, boundary: bytes) -> bytes:
    """Return the content of the part `file`, which must be the only part.

    Raises:
        MalformedMultipart: the body is not a form, or is truncated.
        MissingFile: there is no part, or it has another name.
        UnexpectedPart: there is a second part.
        UnsupportedEncoding: the part has its own encoding.
    """
    form = _parse(body, boundary)
    if _name_of(form) != b"file":
        raise MissingFile(f"The form must have a part named file; {_REMEDY}.")
    _refuse_encoded(form.headers)
    return b"".join(form.chunks)


def _refuse_encoded(headers: Mapping[bytes, bytes]) -> None:
    """Check that a part holds its file's bytes without an encoding (RFC 7578, 4.7).

    Raises:
        UnsupportedEncoding: the part has an encoding.
    """
    for name in (b"Content-Encoding", b"Content-Transfer-Encoding"):
        encoding = headers.get(name.lower(), b"").strip().lower()
        if encoding not in _PLAIN_ENCODINGS:
            raise UnsupportedEncoding(
                f"The part file must have no encoding, got {name.decode()} "
                f"{encoding.decode('latin-1')[:64]!r}; {_REMEDY}."
            )


def _parse(body: bytes, boundary: bytes) -> _Collector:
    collector = _Collector()
    callbacks: MultipartCallbacks = {
        "on_part_begin": collector.on_part_begin,
        "on_header_field": collector.on_header_field,
        "on_header_value": collector.on_header_value,
        "on_header_end": collector.on_header_end,
        "on_part_data": collector.on_part_data,
        "on_end": collector.on_end,
    }
    try:
        parser = MultipartParser(boundary, callbacks)
        parser.write(body)
        parser.finalize()
    except FormParserError as error:  # raised for a boundary that is too long, too
        raise MalformedMultipart(f"The form cannot be read ({error}); {_REMEDY}.") from None
    if not collector.finished:
        raise MalformedMultipart(f"The form ends before its last boundary; {_REMEDY}.")
    return collector


def _name_of(form: _Collector) -> bytes | None:
    return parse_options_header(form.headers.get(b"content-disposition", b""))[1].get(b"name")
