"""Errors of HTTP requests. The errors of the engine and of pictures are in their own packages."""

from __future__ import annotations

from typing import Final

from app.engine.errors import Busy

ACCEPT_ENCODING: Final = "gzip, deflate"
"""The supported content codings, as a 415 lists them (RFC 9110, 15.5.16)."""


class RequestError(ValueError):
    """A request that cannot be served. The message is a sentence with the remedy."""


class MalformedMultipart(RequestError):
    """The body is not multipart/form-data although its header says so."""


class MissingFile(RequestError):
    """The request has no picture."""


class UnexpectedPart(RequestError):
    """The form has more than one part."""


class TooManyFiles(RequestError):
    """The form has more files than allowed."""


class UnsupportedMediaType(RequestError):
    """The Content-Type is not supported."""


class RepeatedOption(RequestError):
    """An option is in the query more than once."""


class UnsuitedOption(RequestError):
    """An option contradicts another one, or has no effect without it."""


class MissingOption(RequestError):
    """An option is needed because of another one."""


class UnsupportedEncoding(RequestError):
    """The Content-Encoding is not supported."""


class MalformedEncoding(RequestError):
    """The body does not match its Content-Encoding."""


class Unauthorized(RequestError):
    """API keys are required, and the request has no valid one."""

    def __init__(self, *, invalid_key: bool) -> None:
        reason = "This API key is not valid" if invalid_key else "An API key is required"
        super().__init__(f"{reason}; send a valid key as Authorization: Bearer KEY or as X-Api-Key: KEY.")


class NotAcceptable(RequestError):
    """The Accept header excludes every form of the answer."""


class BodyTooLarge(RequestError):
    """The body exceeds the limit of bytes."""


class BodyTimeout(RequestError):
    """The body did not arrive in time."""


class RateLimited(Busy):
    """The client exceeded its rate limit."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"Rate limit exceeded; try again in {retry_after_seconds} s.", retry_after_seconds)


class ReceivingFull(Busy):
    """The memory for the bodies of all requests is full."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(
            f"The memory for uploads is full; try again in {retry_after_seconds} s.",
            retry_after_seconds,
        )
