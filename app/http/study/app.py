"""Create a study's HTTP application and its server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles

from app.http.access.rate_limit import RateLimiter
from app.http.middleware.body_memory import BodyMemory
from app.http.middleware.stack import add_middleware
from app.http.monitoring.answer_counter import NoCounter
from app.http.server.connections import Connections
from app.http.server.server import GracefulServer
from app.http.study.problems import STUDY_PROBLEMS, handle_study_exception
from app.http.study.routes import StudyContext, router
from app.http.study.work import StudyWork
from app.settings.settings import Settings
from app.study.study import Study

_PAGE: Final = Path(__file__).parent / "page"
_SHARED: Final = Path(__file__).parents[1] / "page"
_BODY_BYTES: Final = 4096
"""Largest body; a vote has 12 bytes."""


def create_study_app(settings: Settings, study: Study, work: StudyWork) -> FastAPI:
    """Return the application of a study, with the limits, headers and problems of the service."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        study.close()

    app = FastAPI(
        title="ugatit study",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.study = StudyContext(
        study=study, rate_limiter=RateLimiter(settings.rate_per_minute, settings.rate_burst)
    )
    app.include_router(router)
    app.add_api_route("/", _page)
    app.mount("/page", StaticFiles(directory=_SHARED), name="page")
    app.mount("/assets", StaticFiles(directory=_PAGE), name="assets")
    for error in STUDY_PROBLEMS:
        app.add_exception_handler(error, handle_study_exception)
    add_middleware(
        app,
        settings,
        work,
        limit_bytes=min(_BODY_BYTES, settings.body_limit_bytes),
        body_memory=BodyMemory(settings.receiving_bytes),
        answers=NoCounter(),
    )
    return app


def study_server(settings: Settings, study: Study) -> GracefulServer:
    """Return the server of a study."""
    work = StudyWork()
    app = create_study_app(settings, study, work)
    return GracefulServer(app, settings, work, Connections(settings.max_connections), NoCounter())


async def _page() -> Response:
    return FileResponse(_PAGE / "index.html", headers={"Cache-Control": "no-cache"})
