"""Put an application together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.engine.engine import Engine
from app.http.access.api_keys import Keys
from app.http.access.authentication import Identify
from app.http.access.rate_limit import Buckets
from app.http.middleware.body_limits import BodyLimits
from app.http.middleware.body_memory import Receiving
from app.http.middleware.body_pace import PaceLimits
from app.http.middleware.cors import Cors
from app.http.middleware.envelope import Envelope
from app.http.middleware.root_path import RootPath
from app.http.monitoring.metrics import Metrics
from app.http.monitoring.tracing import Tracing
from app.http.problems.problems import (
    INTERNAL,
    KINDS,
    MALFORMED_REQUEST,
    REQUEST_TIMEOUT,
    TOO_MANY_CONNECTIONS,
    declare,
    handle,
)
from app.http.routes import heat_maps as attention
from app.http.routes import pages, service, translate
from app.http.routes.context import Context
from app.http.routes.openapi import complete_document, description_of
from app.http.routes.service import limits_of
from app.http.server.connections import Connections
from app.http.server.worker_metrics import Place, Siblings
from app.settings.settings import Settings

_NO_TELEMETRY: Final[TelemetryConfig] = {
    "tracing": False, "metrics": False, "logs": False, "auto_configure": False,
}  # fmt: skip
"""FastAPI's own, which one variable can turn on: it would send whole addresses, with the ids of heat maps in
them, and the messages of exceptions. Ours is `tracing`."""


def create_app(
    settings: Settings, engine: Engine, tracing: Tracing | None = None, place: Place | None = None
) -> FastAPI:
    """The HTTP service over an engine. Its lifespan starts the engine's loading and closes it in the end.

    Args:
        settings: the limits.
        engine: what translates.
        tracing: where spans go.
        place: which of several workers this is.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        engine.start()
        if siblings is not None:
            await siblings.open()
        yield
        if siblings is not None:
            await siblings.close()
        engine.close()
        await engine.store.close()
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
        # Relative to the document's own address, which is right behind any proxy.
        servers=[{"url": "."}],
        root_path_in_servers=False,
        lifespan=lifespan,
        telemetry=_NO_TELEMETRY,
        # The answers of every address.
        responses=declare(MALFORMED_REQUEST, REQUEST_TIMEOUT, TOO_MANY_CONNECTIONS, INTERNAL),
    )
    receiving = Receiving(settings.receiving_bytes)
    connections = Connections(settings.max_connections)
    metrics = Metrics(engine, receiving, connections)
    keys = Keys(settings.api_keys_file) if settings.api_keys_file is not None else None
    buckets = Buckets(settings.rate_per_minute, settings.rate_burst)
    siblings = Siblings(place, metrics.exposition) if place is not None else None
    resizing = asyncio.Semaphore(settings.decoders)
    app.state.context = Context(engine, settings, metrics, buckets, keys, connections, siblings, resizing)
    for router in (translate.router, attention.router, service.router):
        app.include_router(router)
    pages.mount(app, docs=settings.docs)
    for error in (RequestValidationError, HTTPException, *KINDS):
        app.add_exception_handler(error, handle)
    app.add_middleware(
        BodyLimits,
        limit_bytes=settings.body_limit_bytes,
        pace=PaceLimits(
            settings.request_read_seconds, settings.body_min_bytes_per_second, settings.body_read_seconds
        ),
        receiving=receiving,
        leaving=lambda: engine.draining,
    )
    if keys is not None:
        app.add_middleware(Identify, keys=keys)
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=settings.trusted_proxies)
    app.add_middleware(RootPath, root_path=settings.root_path, trusted_proxies=settings.trusted_proxies)
    app.add_middleware(Envelope, metrics=metrics, leaving=lambda: engine.stopping, tracing=tracing)
    if settings.origins:
        app.add_middleware(Cors, origins=settings.origins)
    complete_document(app, keys_needed=keys is not None)
    return app
