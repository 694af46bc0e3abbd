"""Extract the files from a multipart/form-data body in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

from app.http.problems.request_errors import (
    MalformedMultipart,
    MissingFile,
    RequestError,
    TooManyFiles,
    UnexpectedPart,
    UnsupportedEncoding,
)

_PLAIN_ENCODINGS = (b"", b"identity", b"binary", b"8bit", b"7bit")
_REMEDY = "send it as curl -F file=@photo.jpg does"
_TWO_PARTS = (
    "The form must have one part file, and at most one more, reference; send options in the query, and "
    "several photos to /translate/batch."
)


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


class SentPhoto(NamedTuple):
    """The photo of a request, and the picture in whose style it is translated."""

    data: bytes
    reference: bytes | None = None


class _Collector:
    """The parser's callbacks."""

    def __init__(self, most: int, too_many: RequestError) -> None:
        self.parts: list[_Part] = []
        self.finished = False
        self._most = most
        self._too_many = too_many
        self._name = b""
        self._value = b""

    def on_part_begin(self) -> None:
        if len(self.parts) == self._most:  # stop early: a body may have a million parts
            raise self._too_many
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


def photo_and_reference(body: bytes, boundary: bytes) -> SentPhoto:
    """Return the content of the part `file`, and that of the part `reference` if the form has one.

    Raises:
        MalformedMultipart: the body is not a form, or is truncated.
        MissingFile: there is no part `file`, or the part `reference` is empty.
        UnexpectedPart: there is another part, or one of them twice.
        UnsupportedEncoding: a part has its own encoding.
    """
    names = (b"file", b"reference")
    parts = _parse(body, boundary, most=len(names), too_many=UnexpectedPart(_TWO_PARTS))
    found = {part.option(b"name"): part for part in parts}
    if len(parts) > 1 and (len(found) < len(parts) or not found.keys() <= set(names)):
        raise UnexpectedPart(_TWO_PARTS)
    if b"file" not in found:
        raise MissingFile(f"The form must have a part named file; {_REMEDY}.")
    photo = _content(found[b"file"])
    if b"reference" not in found:
        return SentPhoto(photo)
    reference = _content(found[b"reference"], "reference")
    if not reference:
        raise MissingFile("The part reference is empty; choose a picture for it, or leave it out.")
    return SentPhoto(photo, reference)


def all_files(body: bytes, boundary: bytes, *, most: int) -> list[SentFile]:
    """Return the contents of the parts `file`, in order, of a form that has no others.

    Raises:
        MalformedMultipart: the body is not a form, or is truncated.
        MissingFile: there is no part.
        UnexpectedPart: a part has another name.
        TooManyFiles: there are more than `most`.
        UnsupportedEncoding: a part has its own encoding.
    """
    too_many = TooManyFiles(f"The form must have at most {most} files, got more; send several forms.")
    parts = _parse(body, boundary, most=most, too_many=too_many)
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
    path = (part.option(b"filename") or b"").decode("utf-8", "replace")
    return SentFile(path.replace("\\", "/").rpartition("/")[2], _content(part))


def _content(part: _Part, name: str = "file") -> bytes:
    """Return the content of a part, which must have no encoding (RFC 7578, 4.7).

    Raises:
        UnsupportedEncoding: it has one.
    """
    for header in (b"Content-Encoding", b"Content-Transfer-Encoding"):
        encoding = part.headers.get(header.lower(), b"").strip().lower()
        if encoding not in _PLAIN_ENCODINGS:
            raise UnsupportedEncoding(
                f"The part {name} must have no encoding, got {header.decode()} "
                f"{encoding.decode('latin-1')[:64]!r}; {_REMEDY}."
            )
    return b"".join(part.chunks)


def _parse(body: bytes, boundary: bytes, *, most: int, too_many: RequestError) -> list[_Part]:
    collector = _Collector(most, too_many)
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
