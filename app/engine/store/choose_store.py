"""Which store the settings ask for."""

from __future__ import annotations

from app.engine.store.memory_store import AttentionStore, MemoryStore
from app.settings.settings import Settings, SettingsError


def open_store(settings: Settings) -> AttentionStore:
    """The store of heat maps; nothing is connected yet.

    Raises:
        SettingsError: the package for it is not installed, or the address has impossible options.
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
            "UGATIT_STORE_URL names a Redis server, and the package redis is not installed; "
            "install ugatit[redis], or unset it to keep heat maps in memory."
        ) from None
    try:
        return RedisStore(
            url,
            timeout_seconds=settings.store_timeout_seconds,
            max_entry_bytes=settings.store_entry_bytes,
        )
    except (ValueError, TypeError):  # its words may quote the address, and the password with it
        raise SettingsError(
            "UGATIT_STORE_URL has options after its ? that redis-py does not take; correct or remove them."
        ) from None
