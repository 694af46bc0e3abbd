"""Read the body of a vote."""

from __future__ import annotations

import json

from starlette.requests import ClientDisconnect, Request

from app.engine.errors import Cancelled
from models.files.text import quoted


class InvalidVote(ValueError):
    """The body is not a vote."""


async def read_choice(request: Request) -> int:
    """Return the choice of a body such as {"choice": 2}, whatever its Content-Type.

    FastAPI would turn the errors of the body's limits into one of its own.

    Raises:
        InvalidVote: the body is something else.
        BodyTooLarge, BodyTimeout, ReceivingFull: the body exceeds a limit.
        Cancelled: the client disconnected while sending.
    """
    try:
        body = await request.body()
    except ClientDisconnect:
        raise Cancelled from None
    try:
        choice = json.loads(body)["choice"]
    except (ValueError, KeyError, TypeError, RecursionError):
        choice = None
    if type(choice) is not int:
        got = quoted(body[:60].decode(errors="replace"))
        raise InvalidVote(f'A vote must be a JSON object such as {{"choice": 2}}, got {got!r}.')
    return choice
