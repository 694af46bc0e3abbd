"""The async client, for asyncio."""

from __future__ import annotations

import asyncio
from asyncio import sleep
from collections.abc import Iterable
from types import TracebackType
from typing import Self, TypeVar, Unpack

import httpx2

from ugatit_client.answer_cache import AnswerCache
from ugatit_client.answers import Directions, HeatMap, HeatMapValues, Translation
from ugatit_client.batch import FILES_PER_REQUEST, Batch, FileAnswer
from ugatit_client.calls import (
    Answer,
    Call,
    directions_call,
    heat_map_call,
    id_of,
    translate_call,
    values_call,
)
from ugatit_client.connection import (
    BROKEN,
    CACHE_BYTES,
    DEADLINE_SECONDS,
    answer_of,
    client_headers,
    request_of,
)
from ugatit_client.errors import AttentionGone
from ugatit_client.exchange import Exchange
from ugatit_client.options import Format, HeatMapOptions, TranslateOptions, ValuesOptions
from ugatit_client.photos import Photo, photo_bytes

T = TypeVar("T")


class AsyncClient:
    """Asks a ugatit service as `Client` does, for asyncio."""

    def __init__(
        self,
        address: str,
        *,
        api_key: str | None = None,
        deadline_seconds: float = DEADLINE_SECONDS,
        cache_bytes: int = CACHE_BYTES,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """
        Args:
            address: of the service, as http://127.0.0.1:8000; a path of a proxy may follow.
            api_key: sent with every request.
            deadline_seconds: for one call, its attempts and the waits between them included.
            cache_bytes: most bytes of answers that are kept; 0 keeps none.
            transport: sends the requests; by default over the network.
        """
        self._deadline_seconds = deadline_seconds
        self._cache = AnswerCache(cache_bytes)
        self._http = httpx2.AsyncClient(
            base_url=address, headers=client_headers(api_key), transport=transport
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def translate(
        self,
        photo: Photo,
        direction: str,
        *,
        reference: Photo | None = None,
        deadline_seconds: float | None = None,
        **options: Unpack[TranslateOptions],
    ) -> Translation:
        """Return the translation of a photo, as `Client.translate`."""
        data = await asyncio.to_thread(photo_bytes, photo)
        style = None if reference is None else await asyncio.to_thread(photo_bytes, reference)
        return await self._ask(translate_call(data, direction, options, style), deadline_seconds)

    async def translate_batch(
        self,
        photos: Iterable[Photo],
        direction: str,
        *,
        deadline_seconds: float | None = None,
        files_per_request: int = FILES_PER_REQUEST,
        **options: Unpack[TranslateOptions],
    ) -> list[FileAnswer]:
        """Return the translations of photos in their order, as `Client.translate_batch`."""
        batch = Batch(
            [await asyncio.to_thread(photo_bytes, photo) for photo in photos],
            direction,
            options,
            deadline_seconds=self._deadline_seconds if deadline_seconds is None else deadline_seconds,
            files_per_request=files_per_request,
        )
        while (call := batch.next_call()) is not None:
            pause = batch.take(await self._ask(call, batch.remaining()))
            if pause:
                await sleep(pause)
        return batch.answers

    async def attention(
        self,
        translation: Translation | str,
        *,
        format: Format = "png",  # noqa: A002
        deadline_seconds: float | None = None,
        **options: Unpack[HeatMapOptions],
    ) -> HeatMap:
        """Return a heat map as a picture, as `Client.attention`."""
        id_ = id_of(translation)
        return await self._ask_about(id_, heat_map_call(id_, format, options), deadline_seconds)

    async def attention_values(
        self,
        translation: Translation | str,
        *,
        deadline_seconds: float | None = None,
        **options: Unpack[ValuesOptions],
    ) -> HeatMapValues:
        """Return the values of a heat map, as `Client.attention_values`."""
        id_ = id_of(translation)
        return await self._ask_about(id_, values_call(id_, options), deadline_seconds)

    async def directions(self, *, deadline_seconds: float | None = None) -> Directions:
        """Return the directions and the limits of the service, as `Client.directions`."""
        return await self._ask(directions_call(), deadline_seconds)

    async def _ask_about(self, id_: str, call: Call[T], deadline_seconds: float | None) -> T:
        try:
            return await self._ask(call, deadline_seconds)
        except AttentionGone:
            self._cache.forget(id_)  # so that the photo is translated again, and its heat maps with it
            raise

    async def _ask(self, call: Call[T], deadline_seconds: float | None) -> T:
        seconds = self._deadline_seconds if deadline_seconds is None else deadline_seconds
        exchange = Exchange(call, self._cache, seconds)
        while True:
            try:
                async with asyncio.timeout(exchange.remaining()):
                    answer = await self._send(call, exchange)
            except (TimeoutError, httpx2.TimeoutException):
                raise exchange.deadline_reached()  # noqa: B904 (it has its own cause)
            except BROKEN as error:
                exchange.after_break(error)
                continue
            except httpx2.RequestError as error:
                raise exchange.unreachable(error) from error
            wait = exchange.wait_after(answer)
            if wait is None:
                return exchange.result(answer)
            await sleep(wait)

    async def _send(self, call: Call[T], exchange: Exchange[T]) -> Answer:
        response = await self._http.send(request_of(self._http, call, exchange))
        return answer_of(response, response.content)
