"""The middleware and the exception handlers of every application: limits, identity, records, problems."""

from __future__ import annotations

from typing import Protocol

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.http.access.api_keys import ApiKeys
from app.http.access.authentication import ApiKeyMiddleware
from app.http.middleware.body_limits import BodyLimits
from app.http.middleware.body_memory import BodyMemory
from app.http.middleware.body_pace import PaceLimits
from app.http.middleware.request_recorder import RequestRecorder
from app.http.middleware.root_path import LOOPBACK, RootPath
from app.http.monitoring.answer_counter import AnswerCounter
from app.http.monitoring.tracing import Tracing
from app.http.problems.problems import PROBLEM_KINDS, handle_exception
from app.settings.settings import Settings


class Stoppable(Protocol):
    """The work behind an application, which stops in two stages."""

    @property
    def stopping(self) -> bool:
        """Whether it lingers or drains."""

    @property
    def draining(self) -> bool:
        """Whether no more requests are admitted."""


def add_middleware(
    app: FastAPI,
    settings: Settings,
    work: Stoppable,
    *,
    limit_bytes: int,
    body_memory: BodyMemory,
    answers: AnswerCounter,
    api_keys: ApiKeys | None = None,
    tracing: Tracing | None = None,
) -> None:
    """Add what stands between a connection and the routes.

    Args:
        app: the application.
        settings: the limits.
        work: what stops at a signal.
        limit_bytes: the largest request body.
        body_memory: the memory of all bodies.
        answers: counts the answers.
        api_keys: the clients' keys; None if no key is required.
        tracing: the destination of traces; None for no tracing.
    """
    for error in (RequestValidationError, HTTPException, *PROBLEM_KINDS):
        app.add_exception_handler(error, handle_exception)
    app.add_middleware(
        BodyLimits,
        limit_bytes=limit_bytes,
        pace=PaceLimits(
            settings.request_read_seconds, settings.body_min_bytes_per_second, settings.body_read_seconds
        ),
        body_memory=body_memory,
        stopping=lambda: work.draining,
    )
    if api_keys is not None:
        app.add_middleware(ApiKeyMiddleware, api_keys=api_keys)
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=settings.trusted_proxies)
    app.add_middleware(
        RootPath, root_path=settings.root_path, trusted_proxies=settings.trusted_proxies or LOOPBACK
    )
    app.add_middleware(RequestRecorder, metrics=answers, stopping=lambda: work.stopping, tracing=tracing)
