"""Requests as OpenTelemetry's spans, made at their end from the times that were taken anyway.

Only this file imports OpenTelemetry. Its standard variables say where spans go and which (OTEL_*).
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
from app.http.monitoring.tracing import Traced

_FLUSH_SECONDS: Final = 5.0
"""A collector that does not answer must not keep the service from leaving."""


class Spans:
    """Sends spans to an exporter from a thread of its own; when that falls behind, they are lost."""

    def __init__(self, exporter: SpanExporter) -> None:
        ours = Resource({"service.name": "ugatit", "service.version": __version__})
        self._provider = TracerProvider(
            resource=Resource.create().merge(ours).merge(OTELResourceDetector().detect()),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("ugatit", __version__)
        self._propagator = TraceContextTextMapPropagator()

    def record(self, traced: Traced) -> str:
        """Send the spans of a request, below its caller's; the id of its trace."""
        epoch = time.time_ns() - _nanoseconds(time.perf_counter())
        request = self._tracer.start_span(
            traced.whole.name,
            self._propagator.extract(traced.headers),
            SpanKind.SERVER,
            traced.attributes,
            start_time=epoch + _nanoseconds(traced.whole.begin),
        )
        if traced.failed:
            request.set_status(Status(StatusCode.ERROR))
        within = set_span_in_context(request)
        for name, begin, end in traced.stages:
            stage = self._tracer.start_span(name, within, start_time=epoch + _nanoseconds(begin))
            stage.end(epoch + _nanoseconds(end))
        request.end(epoch + _nanoseconds(traced.whole.end))
        return format_trace_id(request.get_span_context().trace_id)

    def close(self) -> None:
        """Send what is left, in bounded time."""
        flushing = threading.Thread(target=self._provider.shutdown, name="spans", daemon=True)
        flushing.start()
        flushing.join(_FLUSH_SECONDS)


def otlp_exporter() -> SpanExporter:
    """To the collector at OTEL_EXPORTER_OTLP_ENDPOINT, http://localhost:4318 by default."""
    return OTLPSpanExporter()


def _nanoseconds(moment: float) -> int:
    return int(moment * 1e9)
