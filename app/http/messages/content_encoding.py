"""Decode a body's Content-Encoding in small pieces, so that limits stop a decompression bomb early."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Final, Protocol

from app.http.problems.request_errors import MalformedEncoding, UnsupportedEncoding

_PIECE_BYTES: Final = 256 * 1024
_MAX_MEMBERS: Final = (
    1000  # of one gzip body: an empty member costs its sender 20 bytes and the service a decoder
)
_GZIP_BITS: Final = 31
_ZLIB_BITS: Final = 15
_RAW_BITS: Final = -15


class Decoder(Protocol):
    """Decodes a body piece by piece."""

    @property
    def pending(self) -> bool:
        """Whether `piece` can return more bytes before the next `feed`."""

    def feed(self, data: bytes, *, last: bool) -> None:
        """Take the next bytes of the body. `pending` must be false."""

    def piece(self) -> bytes:
        """Return the next decoded bytes.

        Raises:
            MalformedEncoding: the bytes do not match the declared coding, or end too early.
        """


def decoder_of(content_encodings: Iterable[str]) -> Decoder:
    """Return the decoder for these Content-Encoding headers.

    Raises:
        UnsupportedEncoding: a coding is not supported, or there are several.
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
        "send the picture uncompressed: compressing it again saves nothing."
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
    """Decodes gzip with several members (RFC 1952), deflate with or without zlib's header (RFC 1950)."""

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
            raise self._malformed("it cannot be decoded") from None
        self._data = self._inflate.unconsumed_tail
        # After a full piece, zlib may still hold decoded bytes although all of its input is consumed.
        self.pending = bool(self._data) or len(decoded) == _PIECE_BYTES
        if self._inflate.eof:
            self._end_member(self._inflate.unused_data)
        elif self._last and not self.pending:
            raise self._malformed("it ends too early")
        return decoded

    def _begin(self) -> bool:
        """Start a member. Return False if its first bytes are still missing or no member follows."""
        if self._members:
            self._data = self._data.lstrip(b"\0")  # some writers pad with zeros
        if not self._data or (len(self._data) < 2 and not self._last):
            self.pending = False
            return False
        self._members += 1
        if self._members > _MAX_MEMBERS:
            raise self._malformed(f"it has more than {_MAX_MEMBERS:,} members")
        self._inflate = zlib.decompressobj(self._window_bits())
        return True

    def _window_bits(self) -> int:
        if self._coding == "gzip":
            return _GZIP_BITS
        has_header = self._data[0] & 0x0F == 8 and int.from_bytes(self._data[:2]) % 31 == 0
        return _ZLIB_BITS if has_header else _RAW_BITS

    def _end_member(self, rest: bytes) -> None:
        """Continue after a member with the next one, if bytes follow."""
        self._inflate = None
        self._data = rest
        self.pending = bool(rest)
        if rest and self._coding == "deflate":
            raise self._malformed("bytes follow its end")

    def _malformed(self, found: str) -> MalformedEncoding:
        return MalformedEncoding(
            f"The body must be {self._coding}, as its Content-Encoding says, but {found}; "
            "send the picture uncompressed and without that header."
        )
