"""The sync client."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from time import sleep
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


class Client:
    """Asks a ugatit service. Safe to use from many threads.

    After 429 and 503 it waits as long as the service asks, then sends the same request again, until the
    deadline. Answers with an ETag are kept: the service confirms a repeated question with status 304.
    """

    def __init__(
        self,
        address: str,
        *,
        api_key: str | None = None,
        deadline_seconds: float = DEADLINE_SECONDS,
        cache_bytes: int = CACHE_BYTES,
        transport: httpx2.BaseTransport | None = None,
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
        self._http = httpx2.Client(base_url=address, headers=client_headers(api_key), transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def translate(
        self,
        photo: Photo,
        direction: str,
        *,
        reference: Photo | None = None,
        deadline_seconds: float | None = None,
        **options: Unpack[TranslateOptions],
    ) -> Translation:
        """Return the translation of a photo.

        Args:
            photo: the path of a JPEG, PNG, WebP or GIF file, its bytes, or the open file.
            direction: a name from `directions`.
            reference: a picture in whose style the photo is translated, for a direction that takes one.
            deadline_seconds: for this call; the client's by default.
            options: see TranslateOptions.

        Raises:
            UgatitError: the service refused or could not be reached, or the deadline was reached.
            OSError: the photo's file cannot be read.
        """
        style = None if reference is None else photo_bytes(reference)
        call = translate_call(photo_bytes(photo), direction, options, style)
        return self._ask(call, deadline_seconds)

    def translate_batch(
        self,
        photos: Iterable[Photo],
        direction: str,
        *,
        deadline_seconds: float | None = None,
        files_per_request: int = FILES_PER_REQUEST,
        **options: Unpack[TranslateOptions],
    ) -> list[FileAnswer]:
        """Return the translations of photos in their order; one that was refused has its problem there.

        A photo that is refused with 429 or 503 is sent again, as in `translate`. Many photos are sent in
        several requests.

        Args:
            photos: as for `translate`.
            direction: a name from `directions`.
            deadline_seconds: for the whole call; the client's by default.
            files_per_request: at most; `limits.files` of `directions`.
            options: see TranslateOptions.

        Raises:
            UgatitError: a whole request was refused, as for an unknown direction, or failed.
            OSError: a photo's file cannot be read.
        """
        batch = Batch(
            [photo_bytes(photo) for photo in photos],
            direction,
            options,
            deadline_seconds=self._deadline_seconds if deadline_seconds is None else deadline_seconds,
            files_per_request=files_per_request,
        )
        while (call := batch.next_call()) is not None:
            pause = batch.take(self._ask(call, batch.remaining()))
            if pause:
                sleep(pause)
        return batch.answers

    def attention(
        self,
        translation: Translation | str,
        *,
        format: Format = "png",  # noqa: A002
        deadline_seconds: float | None = None,
        **options: Unpack[HeatMapOptions],
    ) -> HeatMap:
        """Return a heat map of a translation, or of its id, as a picture.

        Raises:
            AttentionGone: it has expired; translate the photo again.
            UgatitError: as `translate`.
            ValueError: the service kept no heat maps of this translation.
        """
        id_ = id_of(translation)
        return self._ask_about(id_, heat_map_call(id_, format, options), deadline_seconds)

    def attention_values(
        self,
        translation: Translation | str,
        *,
        deadline_seconds: float | None = None,
        **options: Unpack[ValuesOptions],
    ) -> HeatMapValues:
        """Return the values of a heat map of a translation, or of its id.

        Raises:
            AttentionGone: it has expired; translate the photo again.
            UgatitError: as `translate`.
            ValueError: the service kept no heat maps of this translation.
        """
        id_ = id_of(translation)
        return self._ask_about(id_, values_call(id_, options), deadline_seconds)

    def directions(self, *, deadline_seconds: float | None = None) -> Directions:
        """Return the directions and the limits of the service.

        Raises:
            UgatitError: as `translate`.
        """
        return self._ask(directions_call(), deadline_seconds)

    def _ask_about(self, id_: str, call: Call[T], deadline_seconds: float | None) -> T:
        try:
            return self._ask(call, deadline_seconds)
        except AttentionGone:
            self._cache.forget(id_)  # so that the photo is translated again, and its heat maps with it
            raise

    def _ask(self, call: Call[T], deadline_seconds: float | None) -> T:
        seconds = self._deadline_seconds if deadline_seconds is None else deadline_seconds
        exchange = Exchange(call, self._cache, seconds)
        while True:
            try:
                answer = self._send(call, exchange)
            except httpx2.TimeoutException:
                raise exchange.deadline_reached()  # noqa: B904 (it has its own cause)
            except BROKEN as error:
                exchange.after_break(error)
                continue
            except httpx2.RequestError as error:
                raise exchange.unreachable(error) from error
            wait = exchange.wait_after(answer)
            if wait is None:
                return exchange.result(answer)
            sleep(wait)

    def _send(self, call: Call[T], exchange: Exchange[T]) -> Answer:
        response = self._http.send(request_of(self._http, call, exchange), stream=True)
        with closing(response):
            chunks = []
            for chunk in response.iter_bytes():
                chunks.append(chunk)
                exchange.remaining()  # a slow answer must not extend the deadline
        return answer_of(response, b"".join(chunks))
