"""`POST /translate`: translate a picture."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from app.engine import errors as engine
from app.engine.render_options import MEDIA_TYPES, RenderOptions
from app.engine.rendering import encode_pixels
from app.engine.translation import TranslationResult
from app.http.messages.answer_cache import AnswerKey
from app.http.messages.answer_tag import Question
from app.http.messages.answers import JSON, MIXED, translation_response
from app.http.messages.disconnect import cancel_on_disconnect
from app.http.messages.multipart import SentPhoto
from app.http.messages.negotiation import negotiate
from app.http.messages.options import TranslateOptions
from app.http.messages.photo_options import photo_request, with_reference
from app.http.messages.picture_body import FORM_TYPE, RAW_TYPES, read_photo
from app.http.messages.schemas import BINARY, TranslateAnswer
from app.http.monitoring.request_record import record_of
from app.http.monitoring.stage_times import StageTimes
from app.http.problems import request_errors as http
from app.http.problems.problems import (
    INVALID_OPTION,
    MALFORMED_REQUEST,
    MISSING_OPTION,
    REQUEST_TIMEOUT,
    TOO_MANY_CONNECTIONS,
    UNKNOWN_OPTION,
    declare_problems,
)
from app.http.routes.answer_pictures import render_answer, render_styles, styled_size
from app.http.routes.context import Context, ContextDep, RateLimitedDep, UniqueOptionsDep
from app.http.routes.known_answers import check_admission, find_known, keep_answer
from models.images import errors as images
from models.images.encode import MediaType
from models.images.encode_animation import ANIMATED_TYPES

router = APIRouter(tags=["translation"])

_REQUEST_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "The picture itself, or a form with a part named file. For a direction with styles, a "
        "second part named reference may be a picture in whose style the photo is translated.",
        "content": {
            FORM_TYPE: {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "reference": {"type": "string", "format": "binary"},
                    },
                }
            },
            **dict.fromkeys(RAW_TYPES, BINARY),
        },
    }
}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "model": TranslateAnswer,
        "description": "The translation in the form that Accept selects.",
        "headers": {
            "X-Translation-Id": {"schema": {"type": "string"}, "description": "The id for GET /attention."},
            "Link": {"schema": {"type": "string"}, "description": 'The heat maps, rel="related".'},
            "X-Faces-Found": {
                "schema": {"type": "integer"},
                "description": "Number of faces in the photo; absent with face=none.",
            },
            "Server-Timing": {"schema": {"type": "string"}, "description": "Milliseconds of each stage."},
            "ETag": {"schema": {"type": "string"}, "description": "Strong; for If-None-Match."},
            "Cache-Status": {
                "schema": {"type": "string"},
                "description": "Says that the answer was kept from an earlier request; otherwise absent.",
            },
        },
        "content": {**dict.fromkeys(MEDIA_TYPES.values(), BINARY), MIXED: BINARY},
    },
    304: {"description": "The same question has the answer that If-None-Match names; no model ran."},
    **declare_problems(
        MALFORMED_REQUEST, REQUEST_TIMEOUT, MISSING_OPTION, UNKNOWN_OPTION, INVALID_OPTION,
        http.MalformedMultipart, http.MissingFile, http.UnexpectedPart, http.NotAcceptable,
        http.UnsupportedMediaType, http.UnsupportedEncoding, http.MalformedEncoding,
        http.BodyTimeout, http.BodyTooLarge,
        engine.NoFaceFound, engine.NoNativeFit, engine.NoOpposite, engine.NetworkDefunct,
        engine.NoStyles, engine.NoReferences, engine.StyleEncoderDefunct,
        images.UnsupportedFormat, images.BrokenPicture, images.TooManyPixels,
        images.TooManyFrames,
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
    client: RateLimitedDep,
    _unique: UniqueOptionsDep,
) -> Response:
    """Send a picture as the body, or as the part `file` of a form; `reference` is a second part."""
    asked = _Asked(request, options, context, client)
    check_admission(request, options, context, client)
    record_of(request.scope).direction = options.direction
    photo = await read_photo(request)
    question = await asked.about(photo)
    key = AnswerKey(client, question.tag(asked.model_as_run()))
    known = await find_known(request, context, key)
    if known is not None:
        return known
    translation, response = await asked.translate(photo)
    key = AnswerKey(client, question.tag(translation.versions))  # the bundle may be a newer one by now
    response.headers["ETag"] = key.tag
    keep_answer(request, context, key, response, translation)
    return response


class _Asked:
    """What a request asks of its picture."""

    def __init__(self, request: Request, options: TranslateOptions, context: Context, client: str) -> None:
        default = MEDIA_TYPES[options.format]
        self._request, self._options, self._context, self._client = request, options, context, client
        self._in_styles = options.styles is not None
        self._form = negotiate(", ".join(request.headers.getlist("accept")), self._offers(default))
        media_type = next((offer for offer in MEDIA_TYPES.values() if offer == self._form), default)
        self._rendering = RenderOptions(
            media_type, context.settings.jpeg_quality, options.alpha, options.colormap
        )
        self._wanted = photo_request(options)
        if media_type not in ANIMATED_TYPES or self._in_styles:
            self._wanted = self._wanted._replace(frames="first")
        self._root_path: str = request.scope["root_path"]

    def _offers(self, default: MediaType) -> list[str]:
        """Return the forms of an answer in order of preference: JSON, then pictures with `default` first."""
        if self._in_styles or self._options.cycle:  # no other form has a place for further pictures
            return [JSON]
        pictures = sorted(MEDIA_TYPES.values(), key=lambda media_type: media_type != default)
        return [JSON, *pictures, MIXED]

    def model_as_run(self) -> str:
        """Return what names the bundles that would answer now, and how they run."""
        return self._context.engine.model_as_run(self._options.direction, cycle=self._options.cycle)

    async def about(self, photo: SentPhoto) -> Question:
        """Return the question, with everything that changes its answer."""
        settings = self._context.settings
        limits = settings.answer_side_pixels, settings.max_faces, settings.native_pixels
        choices = self._options, self._form, self._rendering, limits, self._root_path
        return await Question.of(photo, *choices)

    async def translate(self, photo: SentPhoto) -> tuple[TranslationResult, Response]:
        """Return the translation and its answer."""
        started = time.perf_counter()
        options, context, client = self._options, self._context, self._client
        wanted = with_reference(self._wanted, photo.reference)
        work = context.engine.translate(
            options.direction, photo.data, wanted, client=client, keep=options.keep
        )
        translation = await cancel_on_disconnect(self._request, work)
        encoding = time.perf_counter()
        size = styled_size(translation, options.size) if self._in_styles else options.size
        image, overlay = await render_answer(
            translation,
            photo.data,
            self._rendering,
            context,
            size=size,
            overlay=self._form in (JSON, MIXED),
            client=client,
        )
        further = await render_styles(
            translation, photo.data, self._rendering, context, size=size, client=client
        )
        back = translation.reconstruction
        reconstruction = (
            await asyncio.to_thread(encode_pixels, back.pixels, self._rendering) if back is not None else None
        )
        times = StageTimes.of(translation.seconds, encode=time.perf_counter() - encoding, started=started)
        times.record(context.metrics, record_of(self._request.scope), translation)
        return translation, translation_response(
            self._form,
            translation,
            image,
            overlay,
            times,
            root_path=self._root_path,
            in_styles=[image, *further] if self._in_styles else None,
            reconstruction=reconstruction,
        )
