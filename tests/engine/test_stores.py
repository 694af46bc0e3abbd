"""The store that the settings choose."""

from __future__ import annotations

import sys

import pytest

from app.engine.store.memory_store import MemoryStore
from app.engine.store.stores import open_store
from app.settings.settings import Settings, SettingsError


def test_without_an_address_heat_maps_are_kept_in_memory() -> None:
    assert isinstance(open_store(Settings()), MemoryStore)


def test_without_the_package_for_redis_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "app.engine.store.redis_store", raising=False)
    for name in [name for name in sys.modules if name.partition(".")[0] == "redis"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "redis", None)  # as if it were not installed
    with pytest.raises(SettingsError, match=r"install ugatit\[redis\]") as caught:
        open_store(Settings(store_url="redis://host"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("option", ["nonsense=1", "socket_timeout=soon", "max_connections=-1"])
def test_an_invalid_option_of_the_address_is_rejected_without_showing_the_password(option: str) -> None:
    with pytest.raises(SettingsError, match="UGATIT_STORE_URL has options") as caught:
        open_store(Settings(store_url=f"redis://:hunter2@host/0?{option}"))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["redis://host", "rediss://me:word@host:1/2?ssl_cert_reqs=none&protocol=3"])
def test_options_that_redis_py_accepts_are_accepted(url: str) -> None:
    assert not open_store(Settings(store_url=url)).available
