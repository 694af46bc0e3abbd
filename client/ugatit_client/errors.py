"""The errors of a request: a refusal of the service, a failed connection, a reached deadline."""

from __future__ import annotations

import email.utils
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final


class UgatitError(Exception):
    """A request failed."""


class Unreachable(UgatitError):
    """The service could not be reached, or the connection broke."""


class DeadlineReached(UgatitError, TimeoutError):
    """The answer did not arrive within the deadline of this client."""


class UnexpectedAnswer(UgatitError):
    """The answer is not that of a ugatit service."""


class ProblemError(UgatitError):
    """The service refused the request (RFC 9457)."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        code: str | None = None,
        title: str | None = None,
        request_id: str | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        """
        Args:
            status: of HTTP.
            detail: the cause and the remedy, a sentence for people.
            code: the stable code for programs; None if something else than the service answered, as a proxy.
            title: the kind of problem in a few words.
            request_id: names the request in the service's log.
            retry_after_seconds: after this time the same request may succeed; None if the service names none.
        """
        super().__init__(f"{code or status}: {detail}")
        self.status = status
        self.detail = detail
        self.code = code
        self.title = title
        self.request_id = request_id
        self.retry_after_seconds = retry_after_seconds


class BadRequest(ProblemError):
    """400: the request is malformed."""


class Unauthorized(ProblemError):
    """401: an API key is required."""


class NotFound(ProblemError):
    """404: the service has nothing by that name."""


class UnknownDirection(NotFound):
    """404 unknown_direction: the service has no such direction."""


class AttentionGone(NotFound):
    """404 attention_gone: the heat maps of this id have expired, or never existed."""


class NotAcceptable(ProblemError):
    """406: the service has no answer in that form."""


class RequestTimedOut(ProblemError):
    """408: the request did not arrive in time."""


class ContentTooLarge(ProblemError):
    """413: the photo's file is too large."""


class UnsupportedMediaType(ProblemError):
    """415: the photo is in a format that the service does not read."""


class InvalidRequest(ProblemError):
    """422: the photo or an option is invalid."""


class NoFaceFound(InvalidRequest):
    """422 no_face: a face is required, and there is none."""


class TooManyRequests(ProblemError):
    """429: this client exceeded its rate limit."""


class ServiceUnavailable(ProblemError):
    """503: the service is busy, starting, stopping or out of order."""


class ServiceTimedOut(ProblemError):
    """504: the service did not complete the request within its own deadline."""


class ServiceError(ProblemError):
    """500 and others: the service failed."""


_BY_CODE: Final[Mapping[str, type[ProblemError]]] = {
    "unknown_direction": UnknownDirection,
    "attention_gone": AttentionGone,
    "no_face": NoFaceFound,
}
_BY_STATUS: Final[Mapping[int, type[ProblemError]]] = {
    400: BadRequest,
    401: Unauthorized,
    404: NotFound,
    406: NotAcceptable,
    408: RequestTimedOut,
    413: ContentTooLarge,
    415: UnsupportedMediaType,
    422: InvalidRequest,
    429: TooManyRequests,
    503: ServiceUnavailable,
    504: ServiceTimedOut,
}


def problem_of(status: int, headers: Mapping[str, str], content: bytes) -> ProblemError:
    """Return the problem of a refusal. An unknown code is classified by its status."""
    fields = _fields(content)
    code = _text(fields, "code")
    detail = _text(fields, "detail") or (
        f"Expected an answer of a ugatit service, got status {status} without a problem document; check the "
        "service's address and the proxies before it."
    )
    kind = _BY_CODE.get(code or "") or _BY_STATUS.get(status, ServiceError if status >= 500 else ProblemError)
    return kind(
        status,
        detail,
        code=code,
        title=_text(fields, "title"),
        request_id=_text(fields, "request_id"),
        retry_after_seconds=_retry_after(headers.get("retry-after")),
    )


def _fields(content: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(content)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _text(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) else None


def _retry_after(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header, which holds seconds or a date; None if it is invalid."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        at = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
