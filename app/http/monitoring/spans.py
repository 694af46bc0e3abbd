"""OpenTelemetry spans of requests, created at the end of each request from its recorded times.

Only this module imports OpenTelemetry. The standard variables OTEL_* set where spans are sent and which.
"""

from __future__ import annotations

import threading
import time
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode, format_trace_id, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app import __version__
from app.http.monitoring.request_record import RequestTrace

_FLUSH_SECONDS: Final = 5.0
"""A collector that does not answer must not delay the service's exit for longer."""


class OpenTelemetryTracing:
    """Sends spans to an exporter from a background thread; spans are lost when that thread falls behind."""

    def __init__(self, exporter: SpanExporter) -> None:
        own = Resource({"service.name": "ugatit", "service.version": __version__})
        self._provider = TracerProvider(
            resource=Resource.create().merge(own).merge(OTELResourceDetector().detect()),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("ugatit", __version__)
        self._propagator = TraceContextTextMapPropagator()

    def record(self, trace: RequestTrace) -> str:
        """Send the spans of a request as children of its caller's span; return the trace's id."""
        epoch = time.time_ns() - _nanoseconds(time.perf_counter())
        request = self._tracer.start_span(
            trace.whole.name,
            self._propagator.extract(trace.headers),
            SpanKind.SERVER,
            trace.attributes,
            start_time=epoch + _nanoseconds(trace.whole.begin),
        )
        if trace.failed:
            request.set_status(Status(StatusCode.ERROR))
        parent = set_span_in_context(request)
        for name, begin, end in trace.stages:
            stage = self._tracer.start_span(name, parent, start_time=epoch + _nanoseconds(begin))
            stage.end(epoch + _nanoseconds(end))
        request.end(epoch + _nanoseconds(trace.whole.end))
        return format_trace_id(request.get_span_context().trace_id)

    def close(self) -> None:
        """Send the remaining spans within a bounded time."""
        flushing = threading.Thread(target=self._provider.shutdown, name="spans", daemon=True)
        flushing.start()
        flushing.join(_FLUSH_SECONDS)


def otlp_exporter() -> SpanExporter:
    """Return an exporter to OTEL_EXPORTER_OTLP_ENDPOINT, by default http://localhost:4318."""
    return OTLPSpanExporter()


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
