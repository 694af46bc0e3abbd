"""Whether requests are traced, and what a trace is told of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from app.settings.settings import Settings, SettingsError


class Interval(NamedTuple):
    """A stage of a request: when it began and ended, by `time.perf_counter`."""

    name: str
    begin: float
    end: float


class Traced(NamedTuple):
    """One request that was answered."""

    headers: Mapping[str, str]
    """The caller's `traceparent` and `tracestate` (W3C), where they came."""
    whole: Interval
    stages: Sequence[Interval]
    attributes: Mapping[str, str | int]
    failed: bool
    """Whether it is our fault: a 5xx."""


class Tracing(Protocol):
    """Where traces go."""

    def record(self, traced: Traced) -> str:
        """Send the spans of a request; the id of its trace, for the log."""

    def close(self) -> None:
        """Send what is left, in bounded time."""


def open_tracing(settings: Settings) -> Tracing | None:
    """What UGATIT_TRACING asks for; OpenTelemetry is imported only then.

    Raises:
        SettingsError: it is not installed.
    """
    if not settings.tracing:
        return None
    try:
        from app.http.monitoring.spans import Spans, otlp_exporter
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("opentelemetry"):
            raise
        raise SettingsError(
            "UGATIT_TRACING=1 needs OpenTelemetry: pip install 'ugatit[tracing]' brings it; or set it to 0."
        ) from None
    return Spans(otlp_exporter())
