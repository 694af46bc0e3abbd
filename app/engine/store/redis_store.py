"""Translations kept in Redis, so that every worker and replica can serve their heat maps."""

from __future__ import annotations

import asyncio
import logging
import math
import re
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from app.engine.errors import AttentionGone, StoreUnavailable
from app.engine.store.entry import ComputeMaps, Entry, Maps, discriminator_map_names, new_id
from app.engine.store.serialization import InvalidEntry, pack_entry, pack_maps, unpack_entry, unpack_maps
from app.engine.store.shared_maps import SharedMapsById

_PREFIX: Final = "ugatit:1:"
_ID: Final = re.compile(r"[A-Za-z0-9_-]{22}")
_CONNECTIONS: Final = 16
"""Of one process. A call takes a millisecond or two, so more connections would only wait in Redis."""
_PAUSE_SECONDS: Final = 1.0
"""Pause after a failed call: calls in it fail at once instead of each waiting for its timeout."""
_PING_SECONDS: Final = 2.0
"""Time between two pings, which keep `available` up to date when no request uses the store."""
_LOG_SECONDS: Final = 60.0
"""Time between two log lines about the same kind of failure."""

_T = TypeVar("_T")

log = logging.getLogger("ugatit.store")


class RedisStore:
    """Entries in a Redis server, which deletes them when they expire.

    This class bounds the size of one entry. Set Redis' `maxmemory` to bound their sum.
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
        """Prepare the connections; the first call connects.

        Args:
            url: `redis://` or `rediss://` with host, port, database and an optional password.
            timeout_seconds: of each call.
            max_entry_bytes: a larger entry is not kept.
            ping_seconds: time between two pings once the store is open.

        Raises:
            ValueError, TypeError: the address has an unknown option or an invalid value.
        """
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=timeout_seconds,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 1),  # once: the server may have closed an idle connection
        )
        pool.connection_kwargs["decode_responses"] = False  # overrides the address
        pool.connection_class(**pool.connection_kwargs)  # raises for an invalid option
        self._redis = Redis.from_pool(pool)
        self._timeout_seconds = timeout_seconds
        self._max_entry_bytes = max_entry_bytes
        self._shared_maps = SharedMapsById()
        self._paused_until = -math.inf
        self._logged_at: dict[str, float] = {}  # by the kind of failure
        self._available = False
        self._ping_seconds = ping_seconds
        self._pinging: asyncio.Task[None] | None = None
        self.lost = 0

    @property
    def available(self) -> bool:
        """Whether Redis answered the last call, a request's or a ping."""
        return self._available

    async def open(self) -> None:
        """Return when Redis has answered once, and start the pings, which end with `close`."""
        while not await self._ping():  # noqa: ASYNC110  # no event says when the server starts
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
        """Return whether Redis answers now."""
        try:
            await self._call(self._redis.ping)
        except StoreUnavailable:
            return False
        return True

    async def put(self, entry: Entry) -> str | None:
        """Keep an entry until it expires and return its id; None if it is too large or Redis rejects it."""
        id_ = new_id()
        data = pack_entry(id_, entry)
        if len(data) <= self._max_entry_bytes and await self._set(id_, data, entry):
            return id_
        self.lost += 1
        return None

    async def get(self, id_: str) -> Entry:
        """Return the entry of an id.

        Raises:
            AttentionGone: the entry expired, was evicted, or never existed.
            StoreUnavailable: Redis does not answer.
        """
        data = await self._get(id_) if _ID.fullmatch(id_) else None
        if data is None:
            raise AttentionGone
        try:
            entry = unpack_entry(id_, data)
        except InvalidEntry as error:
            log.warning("Ignored an entry in the store: %s", error)
            raise AttentionGone from None
        if entry.expires_at <= time.time():
            raise AttentionGone
        return entry

    async def holds(self, id_: str) -> bool:
        """Return whether the entry of an id is still in Redis; False if Redis does not answer."""
        try:
            return bool(await self._call(lambda: self._redis.exists(_PREFIX + id_)))
        except StoreUnavailable:
            return False

    async def discriminator_maps(self, id_: str, entry: Entry, compute: ComputeMaps) -> Maps:
        """Return the discriminators' maps from Redis; if there are none, compute them and write them there.

        In one process, requests that arrive at the same time compute them once.
        """

        expected = discriminator_map_names(entry)

        async def find_or_compute() -> Maps:
            found = await self._find_maps(id_)
            if found is not None and found.keys() == expected:
                return found
            maps = await compute()
            await self._set(_maps_name(id_), pack_maps(id_, maps), entry)
            return maps

        return await self._shared_maps[id_].get(find_or_compute)

    async def _find_maps(self, id_: str) -> Maps | None:
        try:
            data = await self._get(_maps_name(id_))
            return unpack_maps(id_, data) if data is not None else None
        except (StoreUnavailable, InvalidEntry):  # the maps can be computed again
            return None

    async def _get(self, name: str) -> bytes | None:
        data = await self._call(lambda: self._redis.get(_PREFIX + name))
        assert not isinstance(data, str), "decode_responses is off"
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

    async def _call(self, call: Callable[[], Awaitable[_T]]) -> _T:
        """Call Redis and return its answer in bounded time.

        Raises:
            StoreUnavailable: Redis does not answer, or answers with an error.
        """
        if time.monotonic() < self._paused_until:
            raise StoreUnavailable
        try:
            async with asyncio.timeout(2 * self._timeout_seconds):  # for a connection, then for the answer
                answer = await call()
        except ResponseError as error:  # Redis answers, but with an error, such as out of memory
            self._log_failure(error)
            raise StoreUnavailable from None
        except (RedisError, OSError, TimeoutError) as error:
            self._available = False
            self._paused_until = time.monotonic() + _PAUSE_SECONDS
            self._log_failure(error)
            raise StoreUnavailable from None
        if not self._available:
            log.info("The store of heat maps answers")
        self._available = True
        return answer

    def _log_failure(self, error: Exception) -> None:
        """Log one line a minute for each type of failure. Its message may contain the password."""
        kind, now = type(error).__name__, time.monotonic()
        if now - self._logged_at.get(kind, -math.inf) >= _LOG_SECONDS:
            self._logged_at[kind] = now
            log.error("The store of heat maps does not work: %s", kind)


def _maps_name(id_: str) -> str:
    return f"{id_}:others"  # the name that earlier versions of the service use, too
