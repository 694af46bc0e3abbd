"""The record of one request, and what its log line, its metrics and its trace take from it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from starlette.types import Scope

OTHER: Final = "other"
"""Label of an unknown route or an unknown method."""

_KEY: Final = "ugatit.request_record"


class Interval(NamedTuple):
    """A stage of a request with its begin and end in seconds of `time.perf_counter`."""

    name: str
    begin: float
    end: float


@dataclass
class RequestRecord:
    """What is known about one request. Middleware and routes fill it in while they answer."""

    request_id: str
    method: str
    started: float = field(default_factory=time.perf_counter)
    status: int = 0
    """0 until the answer begins."""
    problem: str | None = None
    """The code of the problem that was answered."""
    client: str | None = None
    """The name of the client's API key; None without a valid key."""
    direction: str | None = None
    stages_ms: Mapping[str, float] | None = None
    """Milliseconds by stage, and the total; None without a translation."""
    intervals: Sequence[Interval] = ()
    run: Mapping[str, str | int] = field(default_factory=dict)
    """Trace attributes of the model run: version, batch size, provider."""

    def attach(self, scope: Scope) -> None:
        """Store the record in a request's scope."""
        scope[_KEY] = self


class RequestTrace(NamedTuple):
    """One answered request, as a trace reports it."""

    headers: Mapping[str, str]
    """The caller's `traceparent` and `tracestate` (W3C), if it sent them."""
    whole: Interval
    stages: Sequence[Interval]
    attributes: Mapping[str, str | int]
    failed: bool
    """Whether the service failed: a 5xx."""


def record_of(scope: Scope) -> RequestRecord:
    """Return the record of a request from its scope."""
    record: RequestRecord = scope[_KEY]
    return record


def key_client_of(scope: Scope) -> str | None:
    """Return the name of the request's API key; None without a valid key, or without a record."""
    record: RequestRecord | None = scope.get(_KEY)
    return None if record is None else record.client
