"""`POST /translate/batch`: translate several pictures in one request."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import StreamingResponse

from app.engine import errors as engine
from app.engine.planning import PhotoRequest
from app.engine.render_options import MEDIA_TYPES, RenderOptions
from app.http.messages.answers import MIXED, translation_response
from app.http.messages.batch_answers import (
    ZIP,
    FileAnswer,
    media_type_of,
    new_boundary,
    stream_mixed,
    stream_zip,
)
from app.http.messages.multipart import SentFile
from app.http.messages.negotiation import negotiate
from app.http.messages.options import TranslateOptions
from app.http.messages.photo_options import photo_request
from app.http.messages.picture_body import FORM_TYPE, read_pictures
from app.http.messages.schemas import BINARY
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
    exception_response,
)
from app.http.routes.answer_pictures import render_answer
from app.http.routes.context import Context, ContextDep, RateLimitedDep, UniqueOptionsDep
from models.images.encode_animation import ANIMATED_TYPES
from models.images.foreign import unsupported

router = APIRouter(tags=["translation"])

_TOGETHER: Final = 3
"""Files of one batch in progress: one is decoded and one encoded beside the one in a model run."""
_REQUEST_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "A form with a part named file for each picture.",
        "content": {
            FORM_TYPE: {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "array", "items": {"type": "string", "format": "binary"}}
                    },
                }
            }
        },
    }
}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The translations in the order of the files, as parts or as files of a zip archive. A "
        "file that cannot be translated has a problem in its place.",
        "content": {MIXED: BINARY, ZIP: BINARY},
    },
    **declare_problems(
        MALFORMED_REQUEST, REQUEST_TIMEOUT, MISSING_OPTION, UNKNOWN_OPTION, INVALID_OPTION,
        http.MalformedMultipart, http.MissingFile, http.UnexpectedPart, http.TooManyFiles,
        http.NotAcceptable, http.UnsupportedMediaType, http.UnsupportedEncoding, http.MalformedEncoding,
        http.BodyTimeout, http.BodyTooLarge,
        engine.UnknownDirection, engine.DirectionDefunct, engine.QueueFull, engine.FairShare, engine.Loading,
        engine.Draining, http.Unauthorized, http.RateLimited, http.ReceivingFull, TOO_MANY_CONNECTIONS,
    ),
}  # fmt: skip


@router.post(
    "/translate/batch",
    operation_id="translate_batch",
    response_class=Response,
    responses=_RESPONSES,
    openapi_extra=_REQUEST_BODY,
    summary="Translate several pictures",
)
async def translate_batch(
    request: Request,
    options: Annotated[TranslateOptions, Query()],
    context: ContextDep,
    client: RateLimitedDep,
    _unique: UniqueOptionsDep,
) -> Response:
    """Send pictures as the parts `file` of a form; the options hold for all of them."""
    form = negotiate(", ".join(request.headers.getlist("accept")), [MIXED, ZIP])
    if options.styles is not None:
        raise http.UnsuitedOption(
            "The option styles is for one photo at a time; send it to /translate, or choose one style with "
            "the option style."
        )
    if options.cycle:
        raise http.UnsuitedOption(
            "cycle=true needs an answer in JSON, which a batch does not have; leave it out, or send the "
            "photos one by one to POST /translate."
        )
    batch = _Batch(request, options, context, client)
    context.engine.check(options.direction, client)
    record_of(request.scope).direction = options.direction
    files = await read_pictures(request, most=context.settings.max_files)
    answers, boundary = batch.answers(files), new_boundary()
    body = stream_mixed(answers, boundary) if form == MIXED else stream_zip(answers)
    headers = {"Vary": "Accept", "Cache-Control": "no-store"}
    return StreamingResponse(body, headers=headers, media_type=media_type_of(form, boundary))


class _Batch:
    """Translates the files of one request. Each holds a permit of its own and has a deadline of its own."""

    def __init__(self, request: Request, options: TranslateOptions, context: Context, client: str) -> None:
        media_type = MEDIA_TYPES[options.format]
        self._options, self._context, self._client = options, context, client
        self._together = min(_TOGETHER, context.settings.queue_size)
        self._record = record_of(request.scope)
        self._root_path: str = request.scope["root_path"]
        self._wanted: PhotoRequest = photo_request(options)
        if media_type not in ANIMATED_TYPES:
            self._wanted = self._wanted._replace(frames="first")
        self._rendering = RenderOptions(
            media_type, context.settings.jpeg_quality, options.alpha, options.colormap
        )

    async def answers(self, files: list[SentFile]) -> AsyncIterator[FileAnswer]:
        """Yield the answer of each file in order; a few are translated ahead of the one that is sent."""
        files.reverse()  # popped one by one, so that their memory is released
        count, working = len(files), deque[asyncio.Task[FileAnswer]]()
        try:
            for number in range(1, count + 1):
                working.append(asyncio.create_task(self._answer(number, files.pop())))
                if len(working) == self._together:
                    yield await working.popleft()
            while working:
                yield await working.popleft()
        finally:  # the client may have left
            for task in working:
                task.cancel()

    async def _answer(self, number: int, file: SentFile) -> FileAnswer:
        try:
            response = await self._translate(number, file.data)
        except Exception as error:
            response = exception_response(error, self._record.request_id)
        return FileAnswer(number, file.name, response)

    async def _translate(self, number: int, data: bytes) -> Response:
        if number > 1:  # the request itself was counted for the first file
            self._context.rate_limiter.take(self._client)
        if not data:
            raise http.MissingFile(str(unsupported(data)))
        started = time.perf_counter()
        options, rendering = self._options, self._rendering
        translation = await self._context.engine.translate(
            options.direction, data, self._wanted, client=self._client, keep=options.keep
        )
        encoding = time.perf_counter()
        image, _ = await render_answer(
            translation,
            data,
            rendering,
            self._context,
            size=options.size,
            overlay=False,
            client=self._client,
        )
        times = StageTimes.of(translation.seconds, encode=time.perf_counter() - encoding, started=started)
        times.record(self._context.metrics, self._record, translation)
        form = rendering.media_type
        return translation_response(form, translation, image, None, times, root_path=self._root_path)
