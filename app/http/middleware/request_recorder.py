"""Give every request an id and safe headers; log, count and trace it when it ends."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.middleware.safe_headers import SAFE_HEADERS
from app.http.monitoring.answer_counter import AnswerCounter
from app.http.monitoring.request_record import OTHER, Interval, RequestRecord, RequestTrace
from app.http.monitoring.tracing import Tracing
from app.http.problems.problems import code_of, exception_response

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")

_POLLED: Final = ("/healthz", "/readyz", "/metrics")
"""Monitors request these every few seconds; only a 500 is logged and traced there."""

_METHODS: Final = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE")
_TRACE_HEADERS: Final = (b"traceparent", b"tracestate")

log = logging.getLogger("ugatit.access")


class RequestRecorder:
    """ASGI middleware around all others except CORS: every request is answered, logged and counted."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: AnswerCounter,
        stopping: Callable[[], bool],
        tracing: Tracing | None = None,
    ) -> None:
        """Wrap `app`. While `stopping` returns True, answers close their connection."""
        self._app = app
        self._metrics = metrics
        self._stopping = stopping
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, send, stopping=self._stopping())
        record = exchange.record
        try:
            await self._app(exchange.scope, receive, exchange.send)
        except Exception as error:
            record.problem = code_of(error)
            response = exception_response(error, record.request_id)
            if record.status:  # the answer has begun: only closing the connection shows the client the error
                raise
            await response(exchange.scope, receive, exchange.send)
        finally:
            self._report(exchange)

    def _report(self, exchange: _Exchange) -> None:
        record, method, route = exchange.record, exchange.method, exchange.route
        self._metrics.count_answer(route, method, record.status, record.problem)
        milliseconds = (time.perf_counter() - record.started) * 1000
        polled = route in _POLLED and record.status != 500
        extra = {
            "request_id": record.request_id,
            "method": method,
            "route": route,
            "status": record.status,
            "problem": record.problem,
            "milliseconds": round(milliseconds, 1),
            "stages": record.stages_ms,
            "direction": record.direction,
            "client": record.client,
            "trace_id": self._tracing.record(exchange.trace()) if self._tracing and not polled else None,
        }
        level = logging.DEBUG if polled else logging.INFO
        log.log(level, "%s %s %d %.1f ms", method, route, record.status, milliseconds, extra=extra)


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, send: Send, *, stopping: bool) -> None:
        self.record = RequestRecord(_request_id(scope), scope["method"])
        self._send = send
        self._stopping = stopping
        # The route of GET answers HEAD too; the server drops the body.
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        # Range may be ignored (RFC 9110, 14.2): files are always answered whole.
        headers = [header for header in scope["headers"] if header[0] != b"range"]
        self.scope = {**scope, "method": method, "headers": headers}
        self.record.attach(self.scope)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.record.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self.record.request_id
            del headers["Accept-Ranges"]
            if self._stopping:
                headers["Connection"] = "close"  # so that the next request goes to another server
            for name, value in SAFE_HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)

    @property
    def method(self) -> str:
        """The method for metrics, logs and traces: one of a fixed set of values."""
        return self.record.method if self.record.method in _METHODS else OTHER

    @property
    def route(self) -> str:
        """The matched route's path for metrics, logs and traces: one of a fixed set of values."""
        return str(getattr(self.scope.get("route"), "path", OTHER))

    def trace(self) -> RequestTrace:
        """Return what a trace reports: times, values from fixed sets, and the request's id."""
        record = self.record
        attributes = {
            "http.request.method": self.method,
            "http.route": self.route,
            "http.response.status_code": record.status,
            "error.type": record.problem,
            "ugatit.request_id": record.request_id,
            "ugatit.direction": record.direction,
            **record.run,
        }
        caller = {
            name.decode(): value.decode("latin-1")
            for name, value in self.scope["headers"]
            if name in _TRACE_HEADERS
        }
        return RequestTrace(
            caller,
            Interval(f"{self.method} {self.route}", record.started, time.perf_counter()),
            record.intervals,
            {name: value for name, value in attributes.items() if value is not None},
            failed=record.status >= 500,
        )


def _request_id(scope: Scope) -> str:
    """Return the client's own id if it is harmless in a header and a log, else a new one."""
    given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
