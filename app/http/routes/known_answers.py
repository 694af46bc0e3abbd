"""Answer a repeated question without the model: the client has the answer, or the service kept it."""

from __future__ import annotations

from fastapi import Request, Response

from app.engine.translation import TranslationResult
from app.http.messages.answer_cache import AnswerKey, KeptAnswer, kept_response
from app.http.messages.answer_tag import client_has
from app.http.messages.options import TranslateOptions
from app.http.routes.context import Context


def check_admission(request: Request, options: TranslateOptions, context: Context, client: str) -> None:
    """Check, before the body is read, that the question could be answered now.

    A known answer needs no permit: a question that may have one is refused by a full queue only after its
    body was read and no answer was found.

    Raises:
        EngineError: it could not.
    """
    context.engine.model_as_run(options.direction, cycle=options.cycle)
    if "if-none-match" not in request.headers and not _may_be_kept(request, context):
        context.engine.check(options.direction, client)


async def find_known(request: Request, context: Context, key: AnswerKey) -> Response | None:
    """Return 304 if the client has the answer, or the answer that was kept; None if it must be made."""
    if client_has(request, key.tag):
        headers = {"ETag": key.tag, "Vary": "Accept", "Cache-Control": "no-store"}
        return Response(status_code=304, headers=headers)
    if not _may_be_kept(request, context):
        return None
    kept = await context.answers.find(key, context.engine.holds)
    return kept_response(kept) if kept is not None else None


def keep_answer(
    request: Request, context: Context, key: AnswerKey, response: Response, translation: TranslationResult
) -> None:
    """Keep an answer, unless its request says `no-store` or its heat maps could not be kept."""
    if translation.id is not None and "no-store" not in _cache_control(request):
        kept = KeptAnswer.of(response, translation.id, translation.entry.expires_at)
        context.answers.keep(key, kept)


def _may_be_kept(request: Request, context: Context) -> bool:
    return context.answers.max_bytes > 0 and not _cache_control(request) & {"no-cache", "no-store"}


def _cache_control(request: Request) -> set[str]:
    """Return the directives of the request's Cache-Control, in lower case and without arguments."""
    given = ",".join(request.headers.getlist("cache-control")).lower()
    return {each.partition("=")[0].strip() for each in given.split(",")}
