"""Fixtures: a served double of the service, and both clients behind one interface."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.http.conftest import MakeLive, make_live, model  # noqa: F401  (fixtures)
from ugatit_client import AsyncClient, Client


class Blocking:
    """An async client whose methods block, so that one test asks both clients."""

    def __init__(self, runner: asyncio.Runner, address: str, **settings: Any) -> None:
        self._runner = runner
        self._client = AsyncClient(address, **settings)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def call(*args: Any, **options: Any) -> Any:
            return await getattr(self._client, name)(*args, **options)

        return lambda *args, **options: self._runner.run(call(*args, **options))


MakeClient = Callable[..., Any]


@pytest.fixture(params=["sync", "async"])
def make_client(request: pytest.FixtureRequest) -> Iterator[MakeClient]:
    """Return a function that makes a client, and closes it at the end."""
    with ExitStack() as stack:

        def make(address: str, **settings: Any) -> Any:
            if request.param == "sync":
                return stack.enter_context(Client(address, **settings))
            client = Blocking(stack.enter_context(asyncio.Runner()), address, **settings)
            stack.callback(client.close)
            return client

        yield make


@pytest.fixture
def address(make_live: MakeLive) -> str:  # noqa: F811
    """Serve the double; return its address."""
    return make_live().url


@pytest.fixture
def client(make_client: MakeClient, address: str) -> Any:
    return make_client(address)
