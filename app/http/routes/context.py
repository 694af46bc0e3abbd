"""What routes share: the engine, the settings and the metrics of their application."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from app.engine.engine import Engine
from app.http.access.api_keys import Keys
from app.http.access.rate_limit import Buckets
from app.http.monitoring.metrics import Metrics
from app.http.server.connections import Connections
from app.http.server.worker_metrics import Siblings
from app.settings.settings import Settings


@dataclass(frozen=True)
class Context:
    """One application's own things."""

    engine: Engine
    settings: Settings
    metrics: Metrics
    buckets: Buckets
    keys: Keys | None
    """None where everybody may ask."""
    connections: Connections
    siblings: Siblings | None
    """None where one process serves alone."""
    resizing: asyncio.Semaphore
    """Bounds how many answers are enlarged at once: each holds up to 50 MB of pixels."""

    async def exposition(self) -> bytes:
        """What Prometheus is told: of all workers, where there are several."""
        return self.metrics.exposition() if self.siblings is None else await self.siblings.exposition()


async def _context(request: Request) -> Context:  # async, or FastAPI would take a thread for it
    context: Context = request.app.state.context
    return context


ContextDep = Annotated[Context, Depends(_context)]
