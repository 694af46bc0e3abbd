"""`GET /attention`: where the networks looked in an earlier translation."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from app.engine import errors as engine
from app.engine.attention import Entry, Map
from app.engine.looks import MEDIA_TYPES, Look
from app.engine.rendering import render_attention
from app.http import errors as http
from app.http.answers import JSON
from app.http.context import Context, ContextDep
from app.http.disconnect import unless_left
from app.http.guard import ClientDep
from app.http.negotiation import negotiate
from app.http.problems import INVALID_OPTION, MISSING_OPTION, TOO_MANY_CONNECTIONS, UNKNOWN_OPTION, declare
from app.http.schemas import AttentionOptions, RawAttention

router = APIRouter()

_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "model": RawAttention,
        "description": "The heat map: a picture, or its values for view=raw.",
        "headers": {"ETag": {"schema": {"type": "string"}, "description": "Strong."}},
        "content": {
            media_type: {"schema": {"type": "string", "format": "binary"}}
            for media_type in MEDIA_TYPES.values()
        },
    },
    304: {"description": "The picture that If-None-Match names is still the one."},
    **declare(
        engine.AttentionGone, engine.NoSuchNetwork, http.NotAcceptable, MISSING_OPTION,
        UNKNOWN_OPTION, INVALID_OPTION, engine.QueueFull, engine.FairShare, engine.Loading, engine.Draining,
        engine.DirectionDefunct, engine.NetworkDefunct, engine.StoreUnavailable, engine.DeadlineExceeded,
        http.Unauthorized, http.RateLimited, TOO_MANY_CONNECTIONS,
    ),
}  # fmt: skip


@router.get("/attention", responses=_RESPONSES, summary="Heat maps of an earlier translation")
async def attention(
    request: Request, options: Annotated[AttentionOptions, Query()], context: ContextDep, client: ClientDep
) -> Response:
    """The id is in the answer of `POST /translate`; it lives for some minutes."""
    offers = [JSON] if options.view == "raw" else list(MEDIA_TYPES.values())
    form = negotiate(", ".join(request.headers.getlist("accept")), offers)
    work = context.engine.attention(options.id, options.network, client=client)
    entry, attention_map = await unless_left(request, work)
    request.state.direction = entry.direction
    etag = _etag(options, form, context.settings.jpeg_quality)
    headers = {"ETag": etag, "Cache-Control": "private", "Vary": "Accept"}
    if _matches(", ".join(request.headers.getlist("if-none-match")), etag):
        return Response(status_code=304, headers=headers)
    body = await _body(options, form, context, entry, attention_map)
    return Response(body, headers=headers, media_type=form)


async def _body(
    options: AttentionOptions, form: str, context: Context, entry: Entry, attention_map: Map
) -> bytes | str:
    if options.view == "raw":
        return _raw(options, attention_map).model_dump_json()
    media_type = next(media_type for media_type in MEDIA_TYPES.values() if media_type == form)
    look = Look(media_type, context.settings.jpeg_quality, options.alpha, options.colormap)
    encoded = await asyncio.to_thread(
        render_attention, entry, attention_map, look, view=options.view, base=options.base, size=options.size
    )
    return encoded.data


def _raw(options: AttentionOptions, attention_map: Map) -> RawAttention:
    return RawAttention(
        kind="relevance",  # a class activation map; only a network that paints a mask would say otherwise
        network=options.network,
        shape=list(attention_map.shape),
        values=attention_map.tolist(),
        raw_min=float(attention_map.min()),
        raw_max=float(attention_map.max()),
    )


def _etag(options: AttentionOptions, form: str, quality: int) -> str:
    """Return a strong ETag: what is kept under an id never changes, so the ways to render it name the bytes.

    The quality counts because a store outlives the process that had another one.
    """
    return f'"{hashlib.sha256(f"{options!r} {form} {quality}".encode()).hexdigest()[:32]}"'


def _matches(if_none_match: str, etag: str) -> bool:
    """If-None-Match compares weakly (RFC 9110), so a `W/` that a proxy put before it does not matter."""
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or "*" in tags
