"""Extract the files from a multipart/form-data body in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

from app.http.problems.request_errors import (
    MalformedMultipart,
    MissingFile,
    TooManyFiles,
    UnexpectedPart,
    UnsupportedEncoding,
)

_PLAIN_ENCODINGS = (b"", b"identity", b"binary", b"8bit", b"7bit")
_REMEDY = "send it as curl -F file=@photo.jpg does"


class SentFile(NamedTuple):
    """A file of a form."""

    name: str
    """As the client sent it, without its folders; empty if it sent none. It may hold any character."""
    data: bytes


class _Part:
    """One part of a form. The body is parsed in one piece, so its content is at most a few slices."""

    def __init__(self) -> None:
        self.headers: dict[bytes, bytes] = {}
        self.chunks: list[bytes] = []

    def option(self, name: bytes) -> bytes | None:
        """Return an option of the Content-Disposition, such as `name`."""
        return parse_options_header(self.headers.get(b"content-disposition", b""))[1].get(name)


class _Collector:
    """The parser's callbacks."""

    def __init__(self, most: int) -> None:
        self.parts: list[_Part] = []
        self.finished = False
        self._most = most
        self._name = b""
        self._value = b""

    def on_part_begin(self) -> None:
        if len(self.parts) == self._most:  # stop early: a body may have a million parts
            if self._most == 1:
                raise UnexpectedPart("The form must have exactly one part, file; send options in the query.")
            raise TooManyFiles(
                f"The form must have at most {self._most} files, got more; send several forms."
            )
        self.parts.append(_Part())

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        self.parts[-1].headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].chunks.append(data[start:end])

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
    parts = _parse(body, boundary, most=1)
    if not parts or parts[0].option(b"name") != b"file":
        raise MissingFile(f"The form must have a part named file; {_REMEDY}.")
    _refuse_encoded(parts[0].headers)
    return b"".join(parts[0].chunks)


def all_files(body: bytes, boundary: bytes, *, most: int) -> list[SentFile]:
    """Return the contents of the parts `file`, in order, of a form that has no others.

    Raises:
        MalformedMultipart: the body is not a form, or is truncated.
        MissingFile: there is no part.
        UnexpectedPart: a part has another name.
        TooManyFiles: there are more than `most`.
        UnsupportedEncoding: a part has its own encoding.
    """
    parts = _parse(body, boundary, most=most)
    if not parts:
        raise MissingFile(f"The form must have a part named file for each picture, got none; {_REMEDY}.")
    return [_sent_file(part) for part in parts]


def _sent_file(part: _Part) -> SentFile:
    name = part.option(b"name") or b""
    if name != b"file":
        raise UnexpectedPart(
            f"Every part of the form must be named file, got {name.decode('utf-8', 'replace')[:64]!r}; send "
            "options in the query."
        )
    _refuse_encoded(part.headers)
    path = (part.option(b"filename") or b"").decode("utf-8", "replace")
    return SentFile(path.replace("\\", "/").rpartition("/")[2], b"".join(part.chunks))


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


def _parse(body: bytes, boundary: bytes, *, most: int) -> list[_Part]:
    collector = _Collector(most)
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
    return collector.parts
