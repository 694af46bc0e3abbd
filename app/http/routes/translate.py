"""`POST /translate`: a picture in, its translation and its attention out."""

from __future__ import annotations

import asyncio
import time
from contextlib import nullcontext
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from app.engine import errors as engine
from app.engine.render_options import MEDIA_TYPES, EncodedPicture, RenderOptions
from app.engine.rendering import picture_size, render_attention, render_picture
from app.engine.store.entry import Entry
from app.engine.translation import TranslationResult
from app.http.access.authentication import ClientDep
from app.http.messages.answers import JSON, MIXED, Timed, translation_response
from app.http.messages.disconnect import unless_left
from app.http.messages.negotiation import negotiate
from app.http.messages.picture_body import FORM_TYPE, RAW_TYPES, read_picture
from app.http.messages.query import OnceDep
from app.http.messages.schemas import TranslateAnswer, TranslateOptions
from app.http.problems import request_errors as http
from app.http.problems.problems import (
    INVALID_OPTION,
    MALFORMED_REQUEST,
    MISSING_OPTION,
    REQUEST_TIMEOUT,
    TOO_MANY_CONNECTIONS,
    UNKNOWN_OPTION,
    declare,
)
from app.http.routes.context import ContextDep
from models.images import errors as images
from models.images.encode import MediaType

router = APIRouter(tags=["translation"])

_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_REQUEST_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "The picture itself, or a form whose only part is named file.",
        "content": {
            FORM_TYPE: {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
            **dict.fromkeys(RAW_TYPES, _BINARY),
        },
    }
}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "model": TranslateAnswer,
        "description": "The translation, in the form that Accept asks for.",
        "headers": {
            "X-Translation-Id": {"schema": {"type": "string"}, "description": "The id for GET /attention."},
            "Link": {"schema": {"type": "string"}, "description": 'The heat maps, rel="related".'},
            "Server-Timing": {"schema": {"type": "string"}, "description": "Milliseconds of each stage."},
        },
        "content": {**dict.fromkeys(MEDIA_TYPES.values(), _BINARY), MIXED: _BINARY},
    },
    **declare(
        MALFORMED_REQUEST, REQUEST_TIMEOUT, MISSING_OPTION, UNKNOWN_OPTION, INVALID_OPTION,
        http.MalformedMultipart, http.MissingFile, http.UnexpectedPart, http.NotAcceptable,
        http.UnsupportedMediaType, http.UnsupportedEncoding, http.MalformedEncoding,
        http.BodyTimeout, http.BodyTooLarge,
        images.UnsupportedFormat, images.BrokenPicture, images.TooManyPixels,
        engine.UnknownDirection, engine.DirectionDefunct, engine.QueueFull, engine.FairShare, engine.Loading,
        engine.Draining, engine.DeadlineExceeded, http.Unauthorized, http.RateLimited,
        http.ReceivingFull, TOO_MANY_CONNECTIONS,
    ),
}  # fmt: skip


@router.post(
    "/translate",
    operation_id="translate",
    responses=_RESPONSES,
    openapi_extra=_REQUEST_BODY,
    summary="Translate a picture",
)
async def translate(
    request: Request,
    options: Annotated[TranslateOptions, Query()],
    context: ContextDep,
    client: ClientDep,
    _once: OnceDep,
) -> Response:
    """Send a picture as the body, or as the only part, `file`, of a form."""
    wanted = MEDIA_TYPES[options.format]
    form = negotiate(", ".join(request.headers.getlist("accept")), _offers(wanted))
    context.engine.check(options.direction, client)
    request.state.direction = options.direction
    picture = await read_picture(request)
    started = time.perf_counter()
    work = context.engine.translate(options.direction, picture, fit=options.fit, client=client)
    translation = await unless_left(request, work)
    encoding = time.perf_counter()
    media_type = next((offer for offer in MEDIA_TYPES.values() if offer == form), wanted)
    rendering = RenderOptions(media_type, context.settings.jpeg_quality, options.alpha, options.colormap)
    size = _size(translation, options.size, context.settings.answer_side_pixels)
    async with context.resizing if size is not None else nullcontext():
        image, overlay = await _render(translation.entry, rendering, size, overlay=form in (JSON, MIXED))
    timed = Timed.of(translation.seconds, encode=time.perf_counter() - encoding, since=started)
    timed.record(context.metrics, request.state, translation)
    root_path = request.scope["root_path"]
    return translation_response(form, translation, image, overlay, timed, root_path=root_path)


def _size(translation: TranslationResult, longer: int | None, limit: int) -> tuple[int, int] | None:
    """Return the height and width that the picture gets; None for the network's own."""
    if longer is None:
        return None
    return picture_size(translation.entry, translation.shown_size, min(longer, limit))


async def _render(
    entry: Entry, options: RenderOptions, size: tuple[int, int] | None, *, overlay: bool
) -> tuple[EncodedPicture, EncodedPicture | None]:
    """Render the picture and, where it is wanted and there is one, the overlay: each in a thread, at once."""
    picture = asyncio.to_thread(render_picture, entry, options, size)
    if not overlay or entry.generator is None:
        return await picture, None
    return await asyncio.gather(picture, asyncio.to_thread(render_attention, entry, entry.generator, options))


def _offers(wanted: MediaType) -> list[str]:
    """The forms of an answer, the default first; of the pictures the format asked for."""
    pictures = sorted(MEDIA_TYPES.values(), key=lambda media_type: media_type != wanted)
    return [JSON, *pictures, MIXED]
