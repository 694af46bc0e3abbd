"""`GET /attention`: the heat maps of an earlier translation."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Annotated, Any, Final

import numpy as np
from fastapi import APIRouter, Path, Query, Request, Response

from app.engine import errors as engine
from app.engine.drawing import draw_attention
from app.engine.render_options import MEDIA_TYPES, RenderOptions
from app.engine.translation import FoundMap
from app.http.messages.answers import JSON
from app.http.messages.disconnect import cancel_on_disconnect
from app.http.messages.negotiation import negotiate
from app.http.messages.options import AttentionOptions, HeatMapOptions, ValuesOptions
from app.http.messages.schemas import BINARY, RawAttention
from app.http.monitoring.request_record import record_of
from app.http.problems import request_errors as http
from app.http.problems.problems import (
    INVALID_OPTION,
    MISSING_OPTION,
    TOO_MANY_CONNECTIONS,
    UNKNOWN_OPTION,
    declare_problems,
)
from app.http.routes.context import Context, ContextDep, RateLimitedDep, UniqueOptionsDep
from models.images.heatmap import value_range

router = APIRouter(tags=["attention"])

_ETAG: Final = {"ETag": {"schema": {"type": "string"}, "description": "Strong."}}
_RANGE: Final = {
    "X-Value-Range": {
        "schema": {"type": "string"},
        "description": "The values of the lowest and the highest colour: two numbers, separated by a space.",
    }
}
_PICTURES: Final = {"headers": {**_ETAG, **_RANGE}, "content": dict.fromkeys(MEDIA_TYPES.values(), BINARY)}
_PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    304: {"description": "The heat map still matches If-None-Match."},
    **declare_problems(
        engine.AttentionGone, engine.NoSuchNetwork, engine.NoSuchPart, engine.NoSuchFrame, engine.NoSuchFace,
        http.NotAcceptable, UNKNOWN_OPTION, INVALID_OPTION,
        engine.QueueFull, engine.FairShare, engine.Loading, engine.Draining,
        engine.DirectionDefunct, engine.NetworkDefunct, engine.StoreUnavailable, engine.DeadlineExceeded,
        http.Unauthorized, http.RateLimited, TOO_MANY_CONNECTIONS,
    ),
}  # fmt: skip
_Id = Annotated[str, Path(alias="id", description="From the answer of POST /translate.")]


@router.get(
    "/attention/{id}",
    operation_id="heat_map",
    response_class=Response,
    responses={200: {"description": "The heat map as a picture.", **_PICTURES}, **_PROBLEMS},
    summary="A heat map as a picture",
)
async def heat_map(
    request: Request,
    id_: _Id,
    options: Annotated[HeatMapOptions, Query()],
    context: ContextDep,
    client: RateLimitedDep,
    _unique: UniqueOptionsDep,
) -> Response:
    """Return a heat map: where a network looked in an earlier translation."""
    return await _answer(request, AttentionOptions(id=id_, **options.model_dump()), context, client)


@router.get(
    "/attention/{id}/raw",
    operation_id="heat_map_values",
    response_class=Response,
    responses={200: {"model": RawAttention, "headers": _ETAG}, **_PROBLEMS},
    summary="A heat map as numbers",
)
async def heat_map_values(
    request: Request,
    id_: _Id,
    options: Annotated[ValuesOptions, Query()],
    context: ContextDep,
    client: RateLimitedDep,
    _unique: UniqueOptionsDep,
) -> Response:
    """Return the values of a heat map, before they are coloured."""
    wanted = AttentionOptions(id=id_, view="raw", **options.model_dump())
    return await _answer(request, wanted, context, client)


@router.get(
    "/attention",
    operation_id="heat_map_by_query",
    response_class=Response,
    responses={
        200: {"model": RawAttention, "description": "A picture, or values for view=raw.", **_PICTURES},
        **_PROBLEMS,
        **declare_problems(MISSING_OPTION),
    },
    summary="A heat map or its values, with the id in the query",
)
async def attention(
    request: Request,
    options: Annotated[AttentionOptions, Query()],
    context: ContextDep,
    client: RateLimitedDep,
    _unique: UniqueOptionsDep,
) -> Response:
    """Return a heat map or its values; the `href` of a translation links here."""
    return await _answer(request, options, context, client)


async def _answer(request: Request, options: AttentionOptions, context: Context, client: str) -> Response:
    offers = [JSON] if options.view == "raw" else list(MEDIA_TYPES.values())
    form = negotiate(", ".join(request.headers.getlist("accept")), offers)
    work = context.engine.attention(options.id, options.network, options.part, options.frame, client=client)
    found = await cancel_on_disconnect(request, work)
    if options.face is not None:
        found = found.of_face(options.face)
    record_of(request.scope).direction = found.entry.direction
    etag = _etag(options, form, context.settings.jpeg_quality)
    headers = {"ETag": etag, "Cache-Control": "private", "Vary": "Accept", "X-Value-Range": _range(found)}
    if _matches(", ".join(request.headers.getlist("if-none-match")), etag):
        return Response(status_code=304, headers=headers)
    body = await _body(options, form, context, found)
    return Response(body, headers=headers, media_type=form)


async def _body(options: AttentionOptions, form: str, context: Context, found: FoundMap) -> bytes | str:
    if options.view == "raw":
        return _raw(found).model_dump_json()
    media_type = next(media_type for media_type in MEDIA_TYPES.values() if media_type == form)
    rendering = RenderOptions(media_type, context.settings.jpeg_quality, options.alpha, options.colormap)
    encoded = await asyncio.to_thread(
        draw_attention,
        found,
        rendering,
        view=options.view,
        base=options.base,
        size=options.size,
        legend=options.legend,
    )
    return encoded.data


def _range(found: FoundMap) -> str:
    low, high = value_range(np.stack(list(found.maps)), found.declared)
    return f"{low:.6g} {high:.6g}"


def _raw(found: FoundMap) -> RawAttention:
    declared, values = found.declared, found.values
    return RawAttention(
        kind=declared.kind,
        network=declared.network,
        part=declared.part,
        range=declared.range,
        shape=list(values.shape),
        values=values.tolist(),
        raw_min=float(values.min()),
        raw_max=float(values.max()),
    )


def _etag(options: AttentionOptions, form: str, quality: int) -> str:
    """Return a strong ETag made of the rendering options: the entry of an id never changes.

    The quality is included because a shared store keeps entries while the setting changes.
    """
    return f'"{hashlib.sha256(f"{options!r} {form} {quality}".encode()).hexdigest()[:32]}"'


def _matches(if_none_match: str, etag: str) -> bool:
    """Compare weakly, as If-None-Match requires (RFC 9110): ignore the `W/` that a proxy may add."""
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or "*" in tags
