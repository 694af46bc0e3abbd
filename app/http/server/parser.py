"""httptools' parser for a server that speaks HTTP/1.1 and nothing else."""

from __future__ import annotations

from typing import Any

from httptools import HttpParserUpgrade, HttpRequestParser


class PlainParser:
    """Reads a request that wishes to upgrade as if it did not, which HTTP allows (RFC 9110, 7.8).

    httptools stops at such a head and takes the body for another protocol's bytes: a picture that
    `curl --http2` posts would be lost. So the head is read a second time, without its wish.
    """

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._parser = _parser(protocol)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parser, name)

    @property
    def wishes_to_upgrade(self) -> bool:
        """Whether the head that has just ended will be read again. To a CONNECT there is nothing else."""
        return bool(self._parser.should_upgrade()) and self._parser.get_method() != b"CONNECT"

    def feed_data(self, data: bytes) -> None:
        """Parse, and call the protocol back."""
        while True:
            try:
                self._parser.feed_data(data)
            except HttpParserUpgrade as wish:
                if not self.wishes_to_upgrade:
                    raise
                data = self._head_without_wish() + data[wish.args[0] :]
                self._parser = _parser(self._protocol)  # the old one has seen an end
            else:
                return

    def _head_without_wish(self) -> bytes:
        parser, protocol = self._parser, self._protocol
        line = b"%b %b HTTP/%b" % (parser.get_method(), protocol.url, parser.get_http_version().encode())
        headers = [b"%b: %b" % header for header in protocol.headers if header[0] != b"upgrade"]
        return b"\r\n".join([line, *headers, b"", b""])


def _parser(protocol: Any) -> HttpRequestParser:
    parser = HttpRequestParser(protocol)
    parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
    return parser
