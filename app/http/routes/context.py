"""Objects and checks that several routes share, as FastAPI dependencies."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from app.engine.interface import Engine
from app.http.access.api_keys import ApiKeys, key_from
from app.http.access.client_address import client_of
from app.http.access.rate_limit import RateLimiter
from app.http.messages.answer_cache import AnswerCache
from app.http.monitoring.metrics import Metrics
from app.http.monitoring.request_record import record_of
from app.http.problems.request_errors import RepeatedOption, Unauthorized
from app.http.server.connections import Connections
from app.http.server.worker_metrics import WorkerMetrics
from app.settings.settings import Settings


@dataclass(frozen=True)
class Context:
    """The objects of one application."""

    engine: Engine
    settings: Settings
    metrics: Metrics
    rate_limiter: RateLimiter
    api_keys: ApiKeys | None
    """None if no API key is required."""
    connections: Connections
    worker_metrics: WorkerMetrics | None
    """None with a single process."""
    resizing: asyncio.Semaphore
    """Limits how many answers are enlarged at once: each holds up to 50 MB of pixels."""
    answers: AnswerCache

    async def exposition(self) -> bytes:
        """Return the metrics in Prometheus' text format, of all workers if there are several."""
        if self.worker_metrics is None:
            return self.metrics.exposition()
        return await self.worker_metrics.exposition()


async def _context(request: Request) -> Context:  # async, because FastAPI runs sync dependencies in threads
    context: Context = request.app.state.context
    return context


ContextDep = Annotated[Context, Depends(_context)]


async def _unique_options(request: Request) -> None:
    """Check that each option occurs once in the query: FastAPI would ignore all but the last.

    Raises:
        RepeatedOption: an option occurs several times.
    """
    counts = Counter(name for name, _ in request.query_params.multi_items())
    for name, count in counts.items():
        if count > 1:
            raise RepeatedOption(f"The option {name[:64]} must occur once, got {count}; keep one of them.")


async def _authenticated(request: Request, context: ContextDep) -> str:
    """Return the client.

    Raises:
        Unauthorized: API keys are required, and the request has no valid one.
    """
    if context.api_keys is not None and record_of(request.scope).client is None:
        raise Unauthorized(invalid_key=key_from(request.headers) is not None)
    return client_of(request.scope)


async def _rate_limited(client: Annotated[str, Depends(_authenticated)], context: ContextDep) -> str:
    """Return the client, after counting this request against its rate limit.

    Raises:
        Unauthorized: API keys are required, and the request has no valid one.
        RateLimited: the client has exceeded its rate.
    """
    context.rate_limiter.take(client)
    return client


UniqueOptionsDep = Annotated[None, Depends(_unique_options)]
AuthenticatedDep = Annotated[str, Depends(_authenticated)]
RateLimitedDep = Annotated[str, Depends(_rate_limited)]
