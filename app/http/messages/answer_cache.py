"""Keep whole answers of translations in memory, for clients that send the same photo again."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, Self

from starlette.responses import Response

_OVERHEAD_BYTES: Final = 1024
"""A rough estimate of an answer's size without its body."""
_OF_ONE_REQUEST: Final = ("content-length", "server-timing")
"""Headers that do not belong to a kept answer."""


class AnswerKey(NamedTuple):
    """What names an answer."""

    client: str
    """The client that got it: ids are secret, so one client's answer is not given to another."""
    tag: str
    """Its ETag, which covers the photo, every option, the model and the code."""


class KeptAnswer(NamedTuple):
    """An answer as it was sent."""

    id: str
    """Of its heat maps."""
    expires_at: float
    """Of the heat maps, in seconds since 1970."""
    headers: dict[str, str]
    body: bytes

    @classmethod
    def of(cls, response: Response, id_: str, expires_at: float) -> Self:
        """Return what is kept of a response."""
        headers = {name: value for name, value in response.headers.items() if name not in _OF_ONE_REQUEST}
        return cls(id_, expires_at, headers, bytes(response.body))

    @property
    def size_bytes(self) -> int:
        """The memory of the answer."""
        return len(self.body) + _OVERHEAD_BYTES


class AnswerCache:
    """The last answers within a number of bytes; the one that was used least recently is dropped first."""

    def __init__(self, max_bytes: int, *, clock: Callable[[], float] = time.time) -> None:
        """
        Args:
            max_bytes: of all answers; 0 keeps none.
            clock: returns seconds since 1970.
        """
        self.max_bytes = max_bytes
        self.size_bytes = self.hits = self.misses = 0
        self._clock = clock
        self._kept: OrderedDict[AnswerKey, KeptAnswer] = OrderedDict()  # the least recently used first

    async def find(self, key: AnswerKey, holds: Callable[[str], Awaitable[bool]]) -> KeptAnswer | None:
        """Return the answer of a key, unless its heat maps are gone.

        Args:
            key: of the answer.
            holds: returns whether the heat maps of an id are still there.
        """
        kept = self._kept.get(key)
        if kept is None or kept.expires_at <= self._clock() or not await holds(kept.id):
            self.misses += 1
            return None
        self.hits += 1
        if key in self._kept:  # it may have been dropped while the store answered
            self._kept.move_to_end(key)
        return kept

    def keep(self, key: AnswerKey, kept: KeptAnswer) -> None:
        """Keep an answer if it is not larger than the whole cache."""
        self._drop(key)
        if kept.size_bytes > self.max_bytes:
            return
        self._kept[key] = kept
        self.size_bytes += kept.size_bytes
        while self.size_bytes > self.max_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: AnswerKey) -> None:
        kept = self._kept.pop(key, None)
        self.size_bytes -= kept.size_bytes if kept is not None else 0


def kept_response(kept: KeptAnswer) -> Response:
    """Return a kept answer; `Cache-Status` (RFC 9211) says that it was kept."""
    return Response(kept.body, headers=kept.headers | {"cache-status": "ugatit; hit"})
