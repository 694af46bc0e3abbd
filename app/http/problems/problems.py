"""One table from exceptions to RFC 9457 problems, for every layer of the service."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.engine import errors as engine
from app.http.messages.content_encoding import ACCEPT_ENCODING
from app.http.problems import request_errors as http
from models.images import errors as images

PROBLEM_TYPE: Final = "application/problem+json"
_CHALLENGE: Final = 'Bearer realm="ugatit"'

log = logging.getLogger("ugatit.http")


class Kind(NamedTuple):
    """What all problems of a kind have in common."""

    status: int
    code: str
    title: str


NOT_FOUND: Final = Kind(404, "not_found", "No such page")
METHOD_NOT_ALLOWED: Final = Kind(405, "method_not_allowed", "Method not allowed")
MALFORMED_REQUEST: Final = Kind(400, "malformed_request", "Malformed request")
REQUEST_TIMEOUT: Final = Kind(408, "headers_timeout", "The headers did not come")
MISSING_OPTION: Final = Kind(422, "missing_option", "Missing option")
UNKNOWN_OPTION: Final = Kind(422, "unknown_option", "Unknown option")
INVALID_OPTION: Final = Kind(422, "invalid_option", "Invalid option")
TOO_MANY_CONNECTIONS: Final = Kind(503, "too_many_connections", "Too many connections")
NOT_READY: Final = Kind(503, "not_ready", "Not ready")
INTERNAL: Final = Kind(500, "internal", "Internal error")

KINDS: Final[Mapping[type[Exception], Kind]] = {
    http.MalformedMultipart: Kind(400, "malformed_multipart", "Malformed form"),
    http.MalformedEncoding: Kind(400, "malformed_encoding", "Malformed encoding"),
    http.Unauthorized: Kind(401, "unauthorized", "API key needed"),
    engine.UnknownDirection: Kind(404, "unknown_direction", "Unknown direction"),
    engine.AttentionGone: Kind(404, "attention_gone", "Attention gone"),
    engine.NoSuchNetwork: Kind(404, "no_such_network", "No such network"),
    http.NotAcceptable: Kind(406, "not_acceptable", "Not acceptable"),
    http.BodyTimeout: Kind(408, "body_timeout", "The body did not come"),
    http.BodyTooLarge: Kind(413, "body_too_large", "Too many bytes"),
    http.UnsupportedMediaType: Kind(415, "unsupported_media_type", "Unsupported media type"),
    http.UnsupportedEncoding: Kind(415, "unsupported_encoding", "Unsupported Content-Encoding"),
    images.UnsupportedFormat: Kind(415, "unsupported_format", "Not a picture we read"),
    images.BrokenPicture: Kind(422, "undecodable", "Undecodable picture"),
    images.TooManyPixels: Kind(422, "too_many_pixels", "Too many pixels"),
    http.MissingFile: Kind(422, "missing_file", "No picture"),
    http.UnexpectedPart: Kind(422, "unexpected_part", "Unexpected part"),
    http.RepeatedOption: INVALID_OPTION,
    http.RateLimited: Kind(429, "rate_limited", "Too many requests"),
    engine.Cancelled: Kind(499, "cancelled", "The client left"),
    engine.QueueFull: Kind(503, "queue_full", "Queue full"),
    engine.FairShare: Kind(503, "fair_share", "Others wait"),
    http.ReceivingFull: Kind(503, "receiving_full", "Too many uploads at once"),
    engine.Loading: Kind(503, "loading", "Loading"),
    engine.Draining: Kind(503, "draining", "About to stop"),
    engine.StoreUnavailable: Kind(503, "store_unavailable", "Store unavailable"),
    engine.DirectionDefunct: Kind(503, "direction_defunct", "Direction out of order"),
    engine.NetworkDefunct: Kind(503, "network_defunct", "Network out of order"),
    engine.DeadlineExceeded: Kind(504, "deadline", "Deadline exceeded"),
}
"""Every exception that is not our bug, and its only status."""

CODES: Final = sorted(
    {kind.code for kind in KINDS.values()}
    | {NOT_FOUND.code, METHOD_NOT_ALLOWED.code, MALFORMED_REQUEST.code, REQUEST_TIMEOUT.code}
    | {MISSING_OPTION.code, UNKNOWN_OPTION.code, TOO_MANY_CONNECTIONS.code, NOT_READY.code, INTERNAL.code}
)
"""Every code that an answer can have."""


class Problem(BaseModel):
    """An error as RFC 9457 has it, with a code for programs and the request's id for the logs."""

    model_config = ConfigDict(title="Problem")

    type: str = Field("about:blank", description="Always about:blank: the code tells the kind.")
    status: int
    code: str = Field(
        description="Stable; what a program should look at. Later services may know more codes.",
        json_schema_extra={"enum": [*CODES]},
    )
    title: str = Field(description="The kind of problem, in a few words.")
    detail: str = Field(description="A sentence for people, with the remedy.")
    request_id: str | None = Field(description="Found in the X-Request-Id header and the service's log too.")


def problem_of(error: Exception, request_id: str | None) -> Response:
    """The answer for an exception; one that the table does not know is our bug, and tells nothing."""
    if isinstance(error, RequestValidationError):
        return _invalid(error, request_id)
    if isinstance(error, HTTPException):
        return _routing(error, request_id)
    kind = KINDS.get(type(error))
    if kind is None:
        log.error("Request %s failed", request_id, exc_info=error)
        detail = "Something went wrong on our side; the log holds the details under this request id."
        return answer(INTERNAL, detail, request_id)
    return answer(kind, str(error), request_id, _headers(error))


def _headers(error: Exception) -> dict[str, str]:
    if isinstance(error, engine.Busy):
        return {"Retry-After": str(error.retry_after_seconds)}
    if isinstance(error, http.UnsupportedEncoding):
        return {"Accept-Encoding": ACCEPT_ENCODING}
    return {"WWW-Authenticate": _CHALLENGE} if isinstance(error, http.Unauthorized) else {}


def answer(
    kind: Kind, detail: str, request_id: str | None, headers: Mapping[str, str] | None = None
) -> Response:
    """A problem as a response."""
    problem = Problem(
        type="about:blank",
        status=kind.status,
        code=kind.code,
        title=kind.title,
        detail=detail,
        request_id=request_id,
    )
    response = Response(problem.model_dump_json(), kind.status, headers, media_type=PROBLEM_TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response


async def handle(request: Request, error: Exception) -> Response:
    """FastAPI's handler for every exception of the table."""
    if isinstance(error, HTTPException) and error.status_code == 405 and request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": _allowed(error)})
    request.state.problem = code_of(error)
    return problem_of(error, getattr(request.state, "request_id", None))


def code_of(error: Exception) -> str:
    """The stable code of an exception."""
    if isinstance(error, RequestValidationError):
        return _option_kind(error.errors()[0]).code
    if isinstance(error, HTTPException):
        return (METHOD_NOT_ALLOWED if error.status_code == 405 else NOT_FOUND).code
    return KINDS.get(type(error), INTERNAL).code


def _routing(error: HTTPException, request_id: str | None) -> Response:
    if error.status_code == 405:
        allowed = _allowed(error)
        detail = f"This address answers to {allowed} and no other method."
        return answer(METHOD_NOT_ALLOWED, detail, request_id, {"Allow": allowed})
    return answer(
        NOT_FOUND,
        "There is nothing at this address; the service's page links to its API's documentation.",
        request_id,
    )


def _allowed(error: HTTPException) -> str:
    """The methods of an address. Where a GET is answered, a HEAD is too."""
    methods = (error.headers or {}).get("Allow", "").replace("GET", "GET, HEAD")
    return f"{methods}, OPTIONS"


def _invalid(error: RequestValidationError, request_id: str | None) -> Response:
    first = error.errors()[0]
    kind, option = _option_kind(first), ".".join(str(part) for part in first["loc"][1:])
    if kind is MISSING_OPTION:
        detail = f"The option {option} is missing; add ?{option}=..."
    elif kind is UNKNOWN_OPTION:
        detail = first["msg"]
    else:
        wish = first["msg"].removeprefix("Input should be ")
        detail = f"The option {option} cannot be {str(first['input'])[:64]!r}: it should be {wish}."
    return answer(kind, detail, request_id)


def _option_kind(first: Mapping[str, Any]) -> Kind:
    return {"missing": MISSING_OPTION, "unknown_option": UNKNOWN_OPTION}.get(first["type"], INVALID_OPTION)


def declare(*kinds: type[Exception] | Kind) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route for OpenAPI: its problems by status, an example for each code."""
    declared: dict[int | str, dict[str, Any]] = {}
    for item in kinds:
        kind = item if isinstance(item, Kind) else KINDS[item]
        example = Problem(
            type="about:blank",
            status=kind.status,
            code=kind.code,
            title=kind.title,
            detail="...",
            request_id="...",
        )
        entry = declared.setdefault(
            kind.status, {"description": "", "content": {PROBLEM_TYPE: {"schema": _SCHEMA, "examples": {}}}}
        )
        entry["content"][PROBLEM_TYPE]["examples"][kind.code] = {"value": example.model_dump()}
        entry["description"] = "; ".join(filter(None, [entry["description"], kind.title]))
        if issubclass(item, engine.Busy) if isinstance(item, type) else False:
            entry["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    return declared


_SCHEMA: Final = {"$ref": "#/components/schemas/Problem"}
