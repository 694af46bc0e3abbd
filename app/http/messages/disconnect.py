"""Stop working for a client who has left."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

from app.engine.errors import Busy, Cancelled
from app.http.problems.request_errors import RequestError

T = TypeVar("T")


async def unless_left(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do `work`, which is cancelled when the client leaves. The request's body must have been read.

    Raises:
        Cancelled: the client left.
    """
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise Cancelled
    finally:
        leaving.cancel()
        working.cancel()


async def _left(request: Request) -> None:
    try:
        while (await request.receive())["type"] != "http.disconnect":
            pass
    except (RequestError, Busy):  # a body that the route does not read: too slow, too large, or too late
        await asyncio.Event().wait()
