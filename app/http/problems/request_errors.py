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


class RepeatedOption(RequestError):
    """An option is in the query more than once."""


class UnsupportedEncoding(RequestError):
    """The Content-Encoding is none of those that are read."""


class MalformedEncoding(RequestError):
    """The body is not in the coding that its Content-Encoding names."""


class Unauthorized(RequestError):
    """Keys are required, and the request brings no good one."""

    def __init__(self, brought_one: bool) -> None:
        reason = "This API key is not known here" if brought_one else "An API key is needed here"
        super().__init__(f"{reason}; send one that is, as Authorization: Bearer KEY, or as X-Api-Key: KEY.")


class NotAcceptable(RequestError):
    """The Accept header leaves no form of answer."""


class BodyTooLarge(RequestError):
    """The body is above the limit."""


class BodyTimeout(RequestError):
    """The body did not come in time."""


class RateLimited(Busy):
    """This client asks more often than it may."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(
            f"You ask more often than you may; try again in {retry_after_seconds} s.", retry_after_seconds
        )


class ReceivingFull(Busy):
    """The bodies of all requests together are above the limit."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(
            f"Too many pictures are being sent at once; try again in {retry_after_seconds} s.",
            retry_after_seconds,
        )
