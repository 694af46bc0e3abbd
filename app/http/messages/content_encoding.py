"""Undo a body's Content-Encoding in small pieces: a bomb meets the limits before it unfolds."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Final, Protocol

from app.http.problems.request_errors import MalformedEncoding, UnsupportedEncoding

ACCEPT_ENCODING: Final = "gzip, deflate"
"""The codings that are read, as a 415 names them (RFC 9110, 15.5.16)."""

_PIECE_BYTES: Final = 256 * 1024
_MAX_MEMBERS: Final = 1000  # of one gzip body: an empty one costs its sender 20 bytes, and us a decoder
_GZIP_BITS: Final = 31
_ZLIB_BITS: Final = 15
_RAW_BITS: Final = -15


class Decoder(Protocol):
    """Turns the bytes that arrive into those that were meant."""

    @property
    def pending(self) -> bool:
        """Whether `piece` has more to give before it needs more bytes."""

    def feed(self, data: bytes, *, last: bool) -> None:
        """Take the next bytes of the body, once `pending` is false."""

    def piece(self) -> bytes:
        """Return the next decoded bytes.

        Raises:
            MalformedEncoding: the bytes are not in the declared coding, or end too early.
        """


def decoder_of(content_encodings: Iterable[str]) -> Decoder:
    """Return what decodes a body with these Content-Encoding headers.

    Raises:
        UnsupportedEncoding: it has a coding that is not read, or several.
    """
    codings = [each.strip().lower() for header in content_encodings for each in header.split(",")]
    codings = [coding for coding in codings if coding not in ("", "identity")]
    match codings:
        case []:
            return _Identity()
        case ["gzip" | "x-gzip"]:
            return _Inflater("gzip")
        case ["deflate"]:
            return _Inflater("deflate")
    raise UnsupportedEncoding(
        f"The Content-Encoding must be gzip or deflate, got {', '.join(codings)[:64]!r}; "
        "send the picture as it is: compressing it again saves nothing."
    )


class _Identity:
    pending = False

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes, *, last: bool) -> None:  # noqa: ARG002
        self._data = data

    def piece(self) -> bytes:
        data, self._data = self._data, b""
        return data


class _Inflater:
    """Decodes gzip of one or several members (RFC 1952), deflate with or without zlib's frame (RFC 1950)."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._data = b""
        self._last = False
        self._members = 0
        self._inflate: zlib._Decompress | None = None
        self.pending = False

    def feed(self, data: bytes, *, last: bool) -> None:
        self._data += data
        self._last = last
        self.pending = bool(self._data)

    def piece(self) -> bytes:
        if self._inflate is None and not self._begin():
            return b""
        assert self._inflate is not None
        try:
            decoded = self._inflate.decompress(self._data, _PIECE_BYTES)
        except zlib.error:
            raise self._malformed("cannot be decoded") from None
        self._data = self._inflate.unconsumed_tail
        # A full piece may leave decoded bytes inside zlib, though all of its input is consumed.
        self.pending = bool(self._data) or len(decoded) == _PIECE_BYTES
        if self._inflate.eof:
            self._end_member(self._inflate.unused_data)
        elif self._last and not self.pending:
            raise self._malformed("ends too early")
        return decoded

    def _begin(self) -> bool:
        """Start a member; false while its first bytes are missing, or where no member follows."""
        if self._members:
            self._data = self._data.lstrip(b"\0")  # some writers pad with zeros
        if not self._data or (len(self._data) < 2 and not self._last):
            self.pending = False
            return False
        self._members += 1
        if self._members > _MAX_MEMBERS:
            raise self._malformed(f"has more than {_MAX_MEMBERS:,} members")
        self._inflate = zlib.decompressobj(self._window_bits())
        return True

    def _window_bits(self) -> int:
        if self._coding == "gzip":
            return _GZIP_BITS
        framed = self._data[0] & 0x0F == 8 and int.from_bytes(self._data[:2]) % 31 == 0
        return _ZLIB_BITS if framed else _RAW_BITS

    def _end_member(self, rest: bytes) -> None:
        """Go on with what follows a member, another one."""
        self._inflate = None
        self._data = rest
        self.pending = bool(rest)
        if rest and self._coding == "deflate":
            raise self._malformed("goes on after its end")

    def _malformed(self, what: str) -> MalformedEncoding:
        return MalformedEncoding(
            f"The body should be {self._coding}, as its Content-Encoding says, but {what}; "
            "send the picture as it is, without that header."
        )
