"""A reverse proxy that serves a service below a path, as `location /ugatit/` of nginx does."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PREFIX = "/ugatit"
_HOP_BY_HOP = ("connection", "content-length", "keep-alive", "transfer-encoding")


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, upstream: str, *, strip: bool, told_prefix: str | None) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.upstream = urlsplit(upstream).netloc
        self.strip = strip
        self.told_prefix = told_prefix


class _Exchange(BaseHTTPRequestHandler):
    server: _Proxy

    def _pass_on(self) -> None:
        if not self.path.startswith(PREFIX):
            self.send_error(404)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = dict(self.headers)
        if self.server.told_prefix is not None:
            headers["X-Forwarded-Prefix"] = self.server.told_prefix
        path = self.path.removeprefix(PREFIX) if self.server.strip else self.path
        connection = http.client.HTTPConnection(self.server.upstream, timeout=60)
        connection.request(self.command, path, body, headers)
        response = connection.getresponse()
        data = response.read()
        connection.close()
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = _pass_on  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def proxied(upstream: str, *, strip: bool = True, told_prefix: str | None = None) -> Iterator[str]:
    """The address, without a slash at its end, under which a proxy serves `upstream`.

    Args:
        upstream: the service's own address.
        strip: whether the service sees paths without the prefix.
        told_prefix: what the proxy sends as X-Forwarded-Prefix.
    """
    with _Proxy(upstream, strip=strip, told_prefix=told_prefix) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{proxy.server_port}{PREFIX}"
        proxy.shutdown()
        thread.join()
