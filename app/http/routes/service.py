"""Endpoints about the service itself: directions, health, readiness, metrics."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from app.engine.directions.direction_status import DirectionStatus
from app.engine.render_options import MEDIA_TYPES
from app.http.messages.schemas import (
    DirectionAnswer,
    DirectionsAnswer,
    Health,
    Limits,
    Model,
    Networks,
    Readiness,
    Size,
)
from app.http.messages.style_schemas import StylesAnswer
from app.http.monitoring.request_record import record_of
from app.http.problems.problems import NOT_READY, TOO_MANY_CONNECTIONS, declare_problems, problem_response
from app.http.problems.request_errors import Unauthorized
from app.http.routes.context import AuthenticatedDep, ContextDep
from app.settings.settings import Settings

router = APIRouter(tags=["service"])

_RETRY_SECONDS: Final = 5


@router.get(
    "/directions",
    operation_id="directions",
    responses=declare_problems(Unauthorized),
    summary="List the directions and the service's limits",
)
async def directions(context: ContextDep, _client: AuthenticatedDep) -> DirectionsAnswer:
    """Return every direction with its state, its model and its model card."""
    described = [_describe(direction) for direction in context.engine.status().directions]
    return DirectionsAnswer(directions=described, limits=limits_of(context.settings))


@router.get("/healthz", operation_id="health", summary="Check that the process answers")
async def healthz() -> Health:
    """Return 200 always; restart the process if this does not answer."""
    return Health()


@router.get(
    "/readyz",
    operation_id="readiness",
    responses=declare_problems(NOT_READY, TOO_MANY_CONNECTIONS),
    response_model=Readiness,
    summary="Check that pictures can be sent",
)
async def readyz(request: Request, context: ContextDep) -> Readiness | Response:
    """Return 200 once all directions are loaded; the body has the reasons of degraded and defunct ones.

    503 while loading or stopping, or if no direction can serve."""
    reason = context.engine.not_ready_reason()
    if reason is not None:
        return problem_response(
            NOT_READY, reason, record_of(request.scope).request_id, {"Retry-After": str(_RETRY_SECONDS)}
        )
    status = context.engine.status()
    return Readiness(
        store="up" if status.store.available else "down",
        directions={direction.name: direction.state for direction in status.directions},
        reasons={direction.name: direction.reason for direction in status.directions if direction.reason},
    )


@router.get(
    "/metrics",
    operation_id="metrics",
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    response_class=Response,
    summary="Prometheus metrics",
)
async def metrics(context: ContextDep) -> Response:
    """Return the metrics in Prometheus' text format."""
    return Response(await context.exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def limits_of(settings: Settings) -> Limits:
    """Return the limits that matter to clients."""
    return Limits(
        body_bytes=settings.body_limit_bytes,
        pixels=settings.max_pixels,
        side_pixels=settings.max_side_pixels,
        files=settings.max_files,
        frames=settings.max_frames,
        animation_pixels=settings.max_animation_pixels,
        faces=settings.max_faces,
        native_pixels=settings.native_pixels,
        answer_side_pixels=settings.answer_side_pixels,
        deadline_seconds=settings.deadline_seconds,
        attention_seconds=settings.attention_ttl_seconds,
        requests_per_minute=settings.rate_per_minute or None,
        media_types=list(MEDIA_TYPES.values()),
    )


def _describe(direction: DirectionStatus) -> DirectionAnswer:
    described = DirectionAnswer(name=direction.name, state=direction.state.value, reason=direction.reason)
    if direction.bundle is None:
        return described
    manifest, version, card = direction.bundle
    networks = Networks(
        generator=manifest.attention, local=direction.discriminators, global_=direction.discriminators
    )
    return described.model_copy(
        update={
            "source": manifest.source,
            "target": manifest.target,
            "model": Model(name=direction.name, version=version),
            "method": manifest.method,
            "image": Size(**manifest.image.model_dump()),
            "attention": networks,
            "maps": manifest.maps,
            "styles": StylesAnswer.of(direction),
            "framing": manifest.framing,
            "face": manifest.face,
            "evaluation": manifest.evaluation,
            "provider": direction.execution.provider if direction.execution is not None else None,
            "precision": direction.execution.precision if direction.execution is not None else None,
            "licence": manifest.licence,
            "limits": manifest.limits,
            "card": card,
        }
    )
