"""Translations kept in Redis, so that several workers and replicas answer for their heat maps."""

from __future__ import annotations

import asyncio
import logging
import math
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from app.engine.errors import AttentionGone, StoreUnavailable
from app.engine.store.memory_store import Compute, Entry, Map, Once, new_id
from app.engine.store.serialization import Stranger, pack_entry, pack_maps, unpack_entry, unpack_maps

_PREFIX: Final = "ugatit:1:"
_ID: Final = re.compile(r"[A-Za-z0-9_-]{22}")
_CONNECTIONS: Final = 16
"""Of one process at most: each call takes a millisecond or two, so more would only wait in Redis."""
_PAUSE_SECONDS: Final = 1.0
"""After a call that failed; until then others fail at once instead of waiting for their timeout each."""
_PING_SECONDS: Final = 2.0
"""Between two pings, so that `available` is true to the server also when no request uses the store."""
_SILENCE_SECONDS: Final = 60.0

_T = TypeVar("_T")

log = logging.getLogger("ugatit.store")


class RedisStore:
    """Entries in a Redis server, which forgets them by itself when their time is over.

    What it holds together is bounded by its own `maxmemory`; here only the size of one entry is.
    """

    usage = None

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float,
        max_entry_bytes: int,
        ping_seconds: float = _PING_SECONDS,
    ) -> None:
        """Connect to nothing yet.

        Args:
            url: `redis://` or `rediss://` with host, port, database and perhaps a password.
            timeout_seconds: for each call.
            max_entry_bytes: a larger one is not kept.
            ping_seconds: time between two pings once the store is open.

        Raises:
            ValueError, TypeError: the address has an option that there is not, or a bad value of one.
        """
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=timeout_seconds,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 1),  # once: a connection that lay idle may be dead by now
        )
        pool.connection_kwargs["decode_responses"] = False  # whatever the address says
        pool.connection_class(**pool.connection_kwargs)  # a bad option shall be known now
        self._redis = Redis.from_pool(pool)
        self._timeout_seconds = timeout_seconds
        self._max_entry_bytes = max_entry_bytes
        self._once: WeakValueDictionary[str, Once] = WeakValueDictionary()
        self._paused_until = -math.inf
        self._said: dict[str, float] = {}
        self._available = False
        self._ping_seconds = ping_seconds
        self._pinging: asyncio.Task[None] | None = None
        self.lost = 0

    @property
    def available(self) -> bool:
        """Whether it answered when it was last asked, by a request or by a ping."""
        return self._available

    async def open(self) -> None:
        """Return when it has answered once; from then on it is pinged until it is closed."""
        while not await self._ping():  # noqa: ASYNC110  # nothing announces a server that starts
            await asyncio.sleep(_PAUSE_SECONDS)
        self._pinging = asyncio.create_task(self._keep_pinging())

    async def close(self) -> None:
        """Stop the pings and close the connections."""
        if self._pinging is not None:
            self._pinging.cancel()
        await self._redis.aclose()

    async def _keep_pinging(self) -> None:
        while True:
            await asyncio.sleep(self._ping_seconds)
            await self._ping()

    async def _ping(self) -> bool:
        """Return whether the server answers now."""
        try:
            await self._call(self._redis.ping)
        except StoreUnavailable:
            return False
        return True

    async def put(self, entry: Entry) -> str | None:
        """Keep an entry until it expires; None if it is too large, or Redis cannot take it now."""
        id_ = new_id()
        data = pack_entry(id_, entry)
        if len(data) <= self._max_entry_bytes and await self._set(id_, data, entry):
            return id_
        self.lost += 1
        return None

    async def get(self, id_: str) -> Entry:
        """The entry of an id.

        Raises:
            AttentionGone: it expired, made room, or never was.
            StoreUnavailable: Redis does not answer.
        """
        data = await self._get(id_) if _ID.fullmatch(id_) else None
        if data is None:
            raise AttentionGone
        try:
            entry = unpack_entry(id_, data)
        except Stranger as error:
            log.warning("An entry in the store is not read: %s", error)
            raise AttentionGone from None
        if entry.expires_at <= time.time():
            raise AttentionGone
        return self._with_shared_once(id_, entry)

    async def others(self, id_: str, entry: Entry, compute: Compute) -> Mapping[str, Map]:
        """The discriminators' maps, which whoever computes them first writes back for all."""

        async def found_or_computed() -> Mapping[str, Map]:
            found = await self._find_maps(id_)
            if found is not None:
                return found
            maps = await compute()
            await self._set(f"{id_}:others", pack_maps(id_, maps), entry)
            return maps

        return await entry.others.get(found_or_computed)

    async def _find_maps(self, id_: str) -> Mapping[str, Map] | None:
        try:
            data = await self._get(f"{id_}:others")
            return unpack_maps(id_, data) if data is not None else None
        except (StoreUnavailable, Stranger):  # they can be computed again
            return None

    async def _get(self, name: str) -> bytes | None:
        data = await self._call(lambda: self._redis.get(_PREFIX + name))
        assert not isinstance(data, str), "answers are not decoded"
        return data

    async def _set(self, name: str, data: bytes, entry: Entry) -> bool:
        left_ms = int(1000 * (entry.expires_at - time.time()))
        if left_ms < 1:
            return False
        try:
            await self._call(lambda: self._redis.set(_PREFIX + name, data, px=left_ms))
        except StoreUnavailable:
            return False
        return True

    def _with_shared_once(self, id_: str, entry: Entry) -> Entry:
        """Of those in this process who ask at the same time for the same maps, one computes them."""
        self._once[id_] = once = self._once.get(id_, entry.others)
        return replace(entry, others=once)

    async def _call(self, call: Callable[[], Awaitable[_T]]) -> _T:
        """Ask Redis in bounded time.

        Raises:
            StoreUnavailable: it does not answer, or refuses.
        """
        if time.monotonic() < self._paused_until:
            raise StoreUnavailable
        try:
            async with asyncio.timeout(2 * self._timeout_seconds):  # a place in the pool, then the answer
                answer = await call()
        except ResponseError as error:  # it answers, and says no: it has no memory left, say
            self._say(error)
            raise StoreUnavailable from None
        except (RedisError, OSError, TimeoutError) as error:
            self._available = False
            self._paused_until = time.monotonic() + _PAUSE_SECONDS
            self._say(error)
            raise StoreUnavailable from None
        if not self._available:
            log.info("The store of heat maps answers")
        self._available = True
        return answer

    def _say(self, error: Exception) -> None:
        """One line a minute for each kind of failure; its name alone, a message may quote the password."""
        kind, now = type(error).__name__, time.monotonic()
        if now - self._said.get(kind, -math.inf) >= _SILENCE_SECONDS:
            self._said[kind] = now
            log.error("The store of heat maps does not work: %s", kind)
