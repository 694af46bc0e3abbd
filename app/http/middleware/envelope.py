"""What every answer carries and every request leaves behind: an id, safe headers, a log line, a count."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.access.client_address import KEY_NAME
from app.http.monitoring.metrics import Metrics
from app.http.monitoring.tracing import Interval, Traced, Tracing
from app.http.problems.problems import INTERNAL, KINDS, problem_of

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")

_POLLED: Final = ("/healthz", "/readyz", "/metrics")
"""Monitors ask these every few seconds; only our bugs are worth a line there."""

UNKNOWN: Final = "other"
"""The route or method of a request that has none of ours."""

_TRACE_HEADERS: Final = (b"traceparent", b"tracestate")

PAGE_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SAFE_HEADERS: Final = {
    "Content-Security-Policy": PAGE_CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}

log = logging.getLogger("ugatit.access")


class Envelope:
    """ASGI middleware around everything else; nothing gets past it unanswered, unlogged or uncounted."""

    def __init__(
        self, app: ASGIApp, *, metrics: Metrics, leaving: Callable[[], bool], tracing: Tracing | None = None
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._leaving = leaving
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, send, leaving=self._leaving())
        try:
            await self._app(exchange.inner_scope, receive, exchange.send)
        except Exception as error:
            exchange.problem = KINDS.get(type(error), INTERNAL).code
            response = problem_of(error, exchange.request_id)
            if exchange.status:  # half an answer is out: only breaking off tells the client
                raise
            await response(exchange.inner_scope, receive, exchange.send)
        finally:
            self._record(exchange)

    def _record(self, exchange: _Exchange) -> None:
        method, route, status, problem = exchange.summary()
        self._metrics.answered(route, method, status, problem)
        milliseconds = (time.perf_counter() - exchange.started) * 1000
        polled = route in _POLLED and status != 500
        extra = {
            "request_id": exchange.request_id,
            "method": method,
            "route": route,
            "status": status,
            "problem": problem,
            "milliseconds": round(milliseconds, 1),
            "stages": exchange.state.get("stages"),
            "direction": exchange.state.get("direction"),
            "client": exchange.state.get(KEY_NAME),
            "trace_id": self._tracing.record(exchange.traced()) if self._tracing and not polled else None,
        }
        level = logging.DEBUG if polled else logging.INFO
        log.log(level, "%s %s %d %.1f ms", method, route, status, milliseconds, extra=extra)


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, send: Send, *, leaving: bool) -> None:
        self.started = time.perf_counter()
        self.status = 0
        self.problem: str | None = None
        self.request_id = _request_id(scope)
        self.state: dict[str, object] = {**scope.get("state", {}), "request_id": self.request_id}
        self._method: str = scope["method"]
        self._send = send
        self._leaving = leaving
        # A HEAD is the GET without its body: answered by the same route, its body dropped by the server.
        method = "GET" if self._method == "HEAD" else self._method
        # A file comes whole, whatever pieces were asked for: that may be ignored (RFC 9110, 14.2).
        headers = [header for header in scope["headers"] if header[0] != b"range"]
        self.inner_scope = {**scope, "method": method, "headers": headers, "state": self.state}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self.request_id
            del headers["Accept-Ranges"]
            if self._leaving:
                headers["Connection"] = "close"  # the next request shall find another server
            for name, value in SAFE_HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)

    def summary(self) -> tuple[str, str, int, str | None]:
        """Method, route, status and problem code, from a small set of values each."""
        route = getattr(self.inner_scope.get("route"), "path", UNKNOWN)
        problem = self.problem or self.state.get("problem")
        known = self._method in ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE")
        return (
            self._method if known else UNKNOWN,
            route,
            self.status,
            problem if isinstance(problem, str) else None,
        )

    def traced(self) -> Traced:
        """What its trace is told: times, words from small sets, and the request's id."""
        method, route, status, problem = self.summary()
        ran, intervals = self.state.get("ran", {}), self.state.get("intervals", [])
        assert isinstance(ran, dict)
        assert isinstance(intervals, list)
        attributes = {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
            "error.type": problem,
            "ugatit.request_id": self.request_id,
            "ugatit.direction": self.state.get("direction"),
            **ran,
        }
        caller = {
            name.decode(): value.decode("latin-1")
            for name, value in self.inner_scope["headers"]
            if name in _TRACE_HEADERS
        }
        return Traced(
            caller,
            Interval(f"{method} {route}", self.started, time.perf_counter()),
            intervals,
            {name: value for name, value in attributes.items() if value is not None},
            failed=status >= 500,
        )


def _request_id(scope: Scope) -> str:
    """The client's own id where it is harmless in a header and a log, else a new one."""
    given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
