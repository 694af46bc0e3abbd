"""httptools' parser for a server that supports only HTTP/1.1."""

from __future__ import annotations

from typing import Any

from httptools import HttpParserUpgrade, HttpRequestParser


class NoUpgradeParser:
    """A parser that ignores the Upgrade header, which HTTP allows (RFC 9110, 7.8).

    httptools stops after a head with that header and treats the body as bytes of another protocol: the
    picture that `curl --http2` posts would be lost. This parser reads such a head again without the header.
    """

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._parser = _new_parser(protocol)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parser, name)

    @property
    def ignores_upgrade(self) -> bool:
        """Whether the head that has just ended is read again. A CONNECT is not: it is only an upgrade."""
        return bool(self._parser.should_upgrade()) and self._parser.get_method() != b"CONNECT"

    def feed_data(self, data: bytes) -> None:
        """Parse bytes and call the protocol's callbacks."""
        while True:
            try:
                self._parser.feed_data(data)
            except HttpParserUpgrade as upgrade:
                if not self.ignores_upgrade:
                    raise
                data = self._head_without_upgrade() + data[upgrade.args[0] :]
                self._parser = _new_parser(self._protocol)  # the old parser has ended its message
            else:
                return

    def _head_without_upgrade(self) -> bytes:
        parser, protocol = self._parser, self._protocol
        line = b"%b %b HTTP/%b" % (parser.get_method(), protocol.url, parser.get_http_version().encode())
        headers = [b"%b: %b" % header for header in protocol.headers if header[0] != b"upgrade"]
        return b"\r\n".join([line, *headers, b"", b""])


def _new_parser(protocol: Any) -> HttpRequestParser:
    parser = HttpRequestParser(protocol)
    parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
    return parser
