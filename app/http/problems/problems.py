"""Map every exception of the service to an RFC 9457 problem, in one table."""

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
from app.http.monitoring.request_record import record_of
from app.http.problems import request_errors as http
from models.images import errors as images

PROBLEM_TYPE: Final = "application/problem+json"
_CHALLENGE: Final = 'Bearer realm="ugatit"'

log = logging.getLogger("ugatit.http")


class ProblemKind(NamedTuple):
    """The status, code and title that all problems of one kind share."""

    status: int
    code: str
    title: str


NOT_FOUND: Final = ProblemKind(404, "not_found", "Not found")
METHOD_NOT_ALLOWED: Final = ProblemKind(405, "method_not_allowed", "Method not allowed")
MALFORMED_REQUEST: Final = ProblemKind(400, "malformed_request", "Malformed request")
REQUEST_TIMEOUT: Final = ProblemKind(408, "headers_timeout", "Request headers timed out")
MISSING_OPTION: Final = ProblemKind(422, "missing_option", "Missing option")
UNKNOWN_OPTION: Final = ProblemKind(422, "unknown_option", "Unknown option")
INVALID_OPTION: Final = ProblemKind(422, "invalid_option", "Invalid option")
TOO_MANY_CONNECTIONS: Final = ProblemKind(503, "too_many_connections", "Too many connections")
NOT_READY: Final = ProblemKind(503, "not_ready", "Not ready")
INTERNAL: Final = ProblemKind(500, "internal", "Internal error")

PROBLEM_KINDS: Final[Mapping[type[Exception], ProblemKind]] = {
    http.MalformedMultipart: ProblemKind(400, "malformed_multipart", "Malformed form"),
    http.MalformedEncoding: ProblemKind(400, "malformed_encoding", "Malformed Content-Encoding"),
    http.Unauthorized: ProblemKind(401, "unauthorized", "API key required"),
    engine.UnknownDirection: ProblemKind(404, "unknown_direction", "Unknown direction"),
    engine.AttentionGone: ProblemKind(404, "attention_gone", "Heat map not found or expired"),
    engine.NoSuchNetwork: ProblemKind(404, "no_such_network", "No such network"),
    engine.NoSuchPart: ProblemKind(404, "no_such_part", "No such part"),
    engine.NoSuchFrame: ProblemKind(404, "no_such_frame", "No such frame"),
    engine.NoSuchFace: ProblemKind(404, "no_such_face", "No such face"),
    http.NotAcceptable: ProblemKind(406, "not_acceptable", "Not acceptable"),
    http.BodyTimeout: ProblemKind(408, "body_timeout", "Request body timed out"),
    http.BodyTooLarge: ProblemKind(413, "body_too_large", "Request body too large"),
    http.UnsupportedMediaType: ProblemKind(415, "unsupported_media_type", "Unsupported media type"),
    http.UnsupportedEncoding: ProblemKind(415, "unsupported_encoding", "Unsupported Content-Encoding"),
    images.UnsupportedFormat: ProblemKind(415, "unsupported_format", "Unsupported picture format"),
    images.BrokenPicture: ProblemKind(422, "undecodable", "Picture cannot be decoded"),
    images.TooManyPixels: ProblemKind(422, "too_many_pixels", "Too many pixels"),
    images.TooManyFrames: ProblemKind(422, "too_many_frames", "Too many frames"),
    http.MissingFile: ProblemKind(422, "missing_file", "Picture missing"),
    http.UnexpectedPart: ProblemKind(422, "unexpected_part", "Unexpected part"),
    http.TooManyFiles: ProblemKind(422, "too_many_files", "Too many files"),
    http.RepeatedOption: INVALID_OPTION,
    http.UnsuitedOption: INVALID_OPTION,
    http.MissingOption: MISSING_OPTION,
    engine.NoFaceFound: ProblemKind(422, "no_face", "No face found"),
    engine.NoOpposite: ProblemKind(422, "no_opposite", "No opposite direction"),
    engine.NoNativeFit: ProblemKind(422, "no_native_fit", "No photos at their own shape"),
    engine.NoStyles: ProblemKind(422, "no_styles", "No styles"),
    engine.NoReferences: ProblemKind(422, "no_references", "No references"),
    http.RateLimited: ProblemKind(429, "rate_limited", "Rate limit exceeded"),
    engine.Cancelled: ProblemKind(499, "cancelled", "Client closed the request"),
    engine.QueueFull: ProblemKind(503, "queue_full", "Queue full"),
    engine.FairShare: ProblemKind(503, "fair_share", "Fair share exceeded"),
    http.ReceivingFull: ProblemKind(503, "receiving_full", "Upload memory full"),
    engine.Loading: ProblemKind(503, "loading", "Direction loading"),
    engine.Draining: ProblemKind(503, "draining", "Service stopping"),
    engine.StoreUnavailable: ProblemKind(503, "store_unavailable", "Store unavailable"),
    engine.DirectionDefunct: ProblemKind(503, "direction_defunct", "Direction unavailable"),
    engine.NetworkDefunct: ProblemKind(503, "network_defunct", "Network unavailable"),
    engine.StyleEncoderDefunct: ProblemKind(503, "style_encoder_defunct", "Style encoder unavailable"),
    engine.DeadlineExceeded: ProblemKind(504, "deadline", "Deadline exceeded"),
}
"""The problem of each expected exception. Any other exception is a bug of the service: status 500."""

CODES: Final = sorted(
    {kind.code for kind in PROBLEM_KINDS.values()}
    | {NOT_FOUND.code, METHOD_NOT_ALLOWED.code, MALFORMED_REQUEST.code, REQUEST_TIMEOUT.code}
    | {MISSING_OPTION.code, UNKNOWN_OPTION.code, TOO_MANY_CONNECTIONS.code, NOT_READY.code, INTERNAL.code}
)
"""All codes that an answer can have."""


class Problem(BaseModel):
    """An error document (RFC 9457) with a stable code for programs and the request's id in the log."""

    model_config = ConfigDict(title="Problem")

    type: str = Field("about:blank", description="Always about:blank; the code identifies the kind.")
    status: int
    code: str = Field(
        description="A stable code for programs. Later versions may add codes.",
        json_schema_extra={"enum": [*CODES]},
    )
    title: str = Field(description="The kind of problem in a few words.")
    detail: str = Field(description="A sentence for people: the cause and the remedy.")
    request_id: str | None = Field(description="Also in the X-Request-Id header and in the service's log.")


def exception_response(error: Exception, request_id: str | None) -> Response:
    """Return the problem for an exception. One outside the table is a bug; its details are only logged."""
    if isinstance(error, RequestValidationError):
        return _option_problem(error, request_id)
    if isinstance(error, HTTPException):
        return _routing_problem(error, request_id)
    kind = PROBLEM_KINDS.get(type(error))
    if kind is None:
        log.error("Request %s failed", request_id, exc_info=error)
        detail = "The service failed because of a bug; its log has the details under this request id."
        return problem_response(INTERNAL, detail, request_id)
    return problem_response(kind, str(error), request_id, _headers(error))


def _headers(error: Exception) -> dict[str, str]:
    if isinstance(error, engine.Busy):
        return {"Retry-After": str(error.retry_after_seconds)}
    if isinstance(error, http.UnsupportedEncoding):
        return {"Accept-Encoding": http.ACCEPT_ENCODING}
    return {"WWW-Authenticate": _CHALLENGE} if isinstance(error, http.Unauthorized) else {}


def problem_response(
    kind: ProblemKind, detail: str, request_id: str | None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a problem as a response."""
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


async def handle_exception(request: Request, error: Exception) -> Response:
    """Answer an exception of the table, as FastAPI's exception handler."""
    if isinstance(error, HTTPException) and error.status_code == 405 and request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": _allowed(error)})
    record = record_of(request.scope)
    record.problem = code_of(error)
    return exception_response(error, record.request_id)


def code_of(error: Exception) -> str:
    """Return the stable code of an exception."""
    if isinstance(error, RequestValidationError):
        return _option_kind(error.errors()[0]).code
    if isinstance(error, HTTPException):
        return (METHOD_NOT_ALLOWED if error.status_code == 405 else NOT_FOUND).code
    return PROBLEM_KINDS.get(type(error), INTERNAL).code


def _routing_problem(error: HTTPException, request_id: str | None) -> Response:
    if error.status_code == 405:
        allowed = _allowed(error)
        detail = f"This address supports only the methods {allowed}; use one of them."
        return problem_response(METHOD_NOT_ALLOWED, detail, request_id, {"Allow": allowed})
    return problem_response(
        NOT_FOUND,
        "This address does not exist; see the documentation of the API.",
        request_id,
    )


def _allowed(error: HTTPException) -> str:
    """Return the methods of an address. HEAD is supported wherever GET is."""
    methods = (error.headers or {}).get("Allow", "").replace("GET", "GET, HEAD")
    return f"{methods}, OPTIONS"


def _option_problem(error: RequestValidationError, request_id: str | None) -> Response:
    first = error.errors()[0]
    kind, option = _option_kind(first), ".".join(str(part) for part in first["loc"][1:])
    if kind is MISSING_OPTION:
        detail = f"The option {option} is missing; add ?{option}=..."
    elif kind is UNKNOWN_OPTION:
        detail = first["msg"]
    else:
        expected = first["msg"].removeprefix("Input should be ")
        detail = f"The option {option} must be {expected}, got {str(first['input'])[:64]!r}."
    return problem_response(kind, detail, request_id)


def _option_kind(first: Mapping[str, Any]) -> ProblemKind:
    return {"missing": MISSING_OPTION, "unknown_option": UNKNOWN_OPTION}.get(first["type"], INVALID_OPTION)


def declare_problems(*kinds: type[Exception] | ProblemKind) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI `responses` of a route: its problems by status, with an example for each code."""
    declared: dict[int | str, dict[str, Any]] = {}
    for item in kinds:
        kind = item if isinstance(item, ProblemKind) else PROBLEM_KINDS[item]
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
