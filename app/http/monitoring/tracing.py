"""Tracing of requests: its interface, and whether it is on."""

from __future__ import annotations

from typing import Protocol

from app.http.monitoring.request_record import RequestTrace
from app.settings.settings import Settings, SettingsError


class Tracing(Protocol):
    """A destination of traces."""

    def record(self, trace: RequestTrace) -> str:
        """Send the spans of a request; return the trace's id for the log."""

    def close(self) -> None:
        """Send the remaining spans within a bounded time."""


def open_tracing(settings: Settings) -> Tracing | None:
    """Return the tracing that UGATIT_TRACING turns on, else None. OpenTelemetry is imported only if it is on.

    Raises:
        SettingsError: OpenTelemetry is not installed.
    """
    if not settings.tracing:
        return None
    try:
        from app.http.monitoring.spans import OpenTelemetryTracing, otlp_exporter
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("opentelemetry"):
            raise
        raise SettingsError(
            "UGATIT_TRACING=1 needs OpenTelemetry, which is not installed; "
            "run pip install 'ugatit[tracing]' or set UGATIT_TRACING=0."
        ) from None
    return OpenTelemetryTracing(otlp_exporter())
