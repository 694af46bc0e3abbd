"""What only an HTTP request can get wrong."""

from __future__ import annotations

from app.engine.errors import Busy


class RequestError(ValueError):
    """A request that cannot be served as it is. The message is a sentence with the remedy."""


class MalformedMultipart(RequestError):
    """The body is not the multipart/form-data that its header promises."""


class MissingFile(RequestError):
    """No picture came."""


class UnexpectedPart(RequestError):
    """The form holds more than one `file`."""


class UnsupportedMediaType(RequestError):
    """The Content-Type is none of those that are read."""


class NotAcceptable(RequestError):
    """The Accept header leaves no form of answer."""


class BodyTooLarge(RequestError):
    """The body is above the limit."""


class BodyTimeout(RequestError):
    """The body did not come in time."""


class ReceivingFull(Busy):
    """The bodies of all requests together are above the limit."""

    code = "receiving_full"

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(
            f"Too many pictures are being sent at once; try again in {retry_after_seconds} s.",
            retry_after_seconds,
        )
