"""The interface of a store of translations, and the store that the settings choose."""

from __future__ import annotations

from typing import Protocol

from app.engine.store.entry import ComputeMaps, Entry, Maps
from app.engine.store.memory_store import MemoryStore, StoreUsage
from app.settings.settings import Settings, SettingsError


class TranslationStore(Protocol):
    """Keeps translations for a while, so that clients can request their heat maps.

    In memory for one process; in Redis for several.
    """

    lost: int
    """How many translations could not be kept."""

    async def open(self) -> None:
        """Return when the store has answered once, however long that takes."""

    async def close(self) -> None:
        """Close the connections."""

    async def put(self, entry: Entry) -> str | None:
        """Keep an entry and return its id: 22 base64url characters that cannot be guessed.

        None if it cannot be kept: the client gets the translation anyway, without its heat maps.
        """

    async def get(self, id_: str) -> Entry:
        """Return the entry of an id. Raises AttentionGone, StoreUnavailable."""

    async def holds(self, id_: str) -> bool:
        """Return whether `get` would return an entry now; False if the store is unavailable."""

    async def discriminator_maps(self, id_: str, entry: Entry, compute: ComputeMaps) -> Maps:
        """Return the discriminators' maps of an entry by name; compute them if no request has done so."""

    @property
    def available(self) -> bool:
        """Whether the last call was answered."""

    @property
    def usage(self) -> StoreUsage | None:
        """How much it holds; None for a store that this process shares with others."""


def open_store(settings: Settings) -> TranslationStore:
    """Return the store that the settings choose; it connects to nothing yet.

    Raises:
        SettingsError: the package for it is not installed, or its address has unknown or invalid options.
    """
    url = settings.store_url.get_secret_value()
    if not url:
        return MemoryStore(max_entries=settings.attention_max_entries, max_bytes=settings.attention_max_bytes)
    try:
        from app.engine.store.redis_store import RedisStore
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "redis":
            raise
        raise SettingsError(
            "UGATIT_STORE_URL names a Redis server, but the package redis is not installed; "
            "install ugatit[redis], or unset UGATIT_STORE_URL to keep heat maps in memory."
        ) from None
    try:
        return RedisStore(
            url,
            timeout_seconds=settings.store_timeout_seconds,
            max_entry_bytes=settings.store_entry_bytes,
        )
    except (ValueError, TypeError):  # the exception's message may contain the address with its password
        raise SettingsError(
            "UGATIT_STORE_URL has options after its ? that redis-py does not accept; correct or remove them."
        ) from None
