"""Create the HTTP application: routes, middleware, exception handlers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from app.engine.interface import Engine
from app.http.access.api_keys import ApiKeys
from app.http.access.rate_limit import RateLimiter
from app.http.messages.answer_cache import AnswerCache
from app.http.middleware.body_memory import BodyMemory
from app.http.middleware.cors import Cors
from app.http.middleware.stack import add_middleware
from app.http.monitoring.metrics import Metrics
from app.http.monitoring.tracing import Tracing
from app.http.problems.problems import (
    INTERNAL,
    MALFORMED_REQUEST,
    REQUEST_TIMEOUT,
    TOO_MANY_CONNECTIONS,
    declare_problems,
)
from app.http.routes import batch, heat_maps, pages, service, translate
from app.http.routes.context import Context
from app.http.routes.openapi import complete_document, description_of
from app.http.routes.service import limits_of
from app.http.server.connections import Connections
from app.http.server.worker_metrics import WorkerIdentity, WorkerMetrics
from app.settings.settings import Settings

_NO_TELEMETRY: Final[TelemetryConfig] = {
    "tracing": False, "metrics": False, "logs": False, "auto_configure": False,
}  # fmt: skip
"""FastAPI's own telemetry stays off: it would send whole URLs, with the ids of heat maps, and the messages of
exceptions. An environment variable could turn it on. The service has its own `tracing`."""


def create_app(
    settings: Settings, engine: Engine, tracing: Tracing | None = None, worker: WorkerIdentity | None = None
) -> FastAPI:
    """Return the HTTP application of an engine. Its lifespan starts and closes the engine.

    Args:
        settings: the limits and switches.
        engine: translates pictures.
        tracing: the destination of traces; None for no tracing.
        worker: which worker this is; None with a single process.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        engine.start()
        if worker_metrics is not None:
            await worker_metrics.open()
        yield
        if worker_metrics is not None:
            await worker_metrics.close()
        engine.close()
        await engine.wait_closed()
        if tracing is not None:
            await asyncio.to_thread(tracing.close)

    app = FastAPI(
        title="ugatit",
        summary="Image-to-image translation that shows where it looks.",
        description=description_of(limits_of(settings)),
        version="1",  # of this HTTP contract
        openapi_url="/openapi.json" if settings.docs else None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Relative to the document's own address, so that it is correct behind any proxy.
        servers=[{"url": "."}],
        root_path_in_servers=False,
        lifespan=lifespan,
        telemetry=_NO_TELEMETRY,
        # The problems of every address.
        responses=declare_problems(MALFORMED_REQUEST, REQUEST_TIMEOUT, TOO_MANY_CONNECTIONS, INTERNAL),
    )
    body_memory = BodyMemory(settings.receiving_bytes)
    connections = Connections(settings.max_connections)
    answers = AnswerCache(round(settings.answer_cache_mb * 1e6))
    metrics = Metrics(engine, body_memory, connections, answers)
    api_keys = ApiKeys(settings.api_keys_file) if settings.api_keys_file is not None else None
    rate_limiter = RateLimiter(settings.rate_per_minute, settings.rate_burst)
    worker_metrics = WorkerMetrics(worker, metrics.exposition) if worker is not None else None
    resizing = asyncio.Semaphore(settings.decoders)
    app.state.context = Context(
        engine, settings, metrics, rate_limiter, api_keys, connections, worker_metrics, resizing, answers
    )
    for router in (translate.router, batch.router, heat_maps.router, service.router):
        app.include_router(router)
    pages.mount(app, docs=settings.docs)
    add_middleware(
        app,
        settings,
        engine,
        limit_bytes=settings.body_limit_bytes,
        body_memory=body_memory,
        answers=metrics,
        api_keys=api_keys,
        tracing=tracing,
    )
    if settings.origins:
        app.add_middleware(Cors, origins=settings.origins)
    complete_document(app, keys_needed=api_keys is not None)
    return app
