"""Keep answers that have an ETag: the service confirms them instead of sending them again."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ugatit_client.answers import Translation
from ugatit_client.calls import Call


class KeptAnswer(NamedTuple):
    """An answer that the service may confirm with status 304."""

    etag: str
    value: Any
    size: int
    """In bytes."""
    expires_at: datetime | None


class AnswerCache:
    """The last answers within a number of bytes. Safe to use from many threads."""

    def __init__(self, max_bytes: int) -> None:
        """
        Args:
            max_bytes: of all kept answers, as they were sent; 0 keeps none.
        """
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, KeptAnswer] = OrderedDict()
        self._lock = threading.Lock()

    def key(self, call: Call[Any]) -> str | None:
        """Return what names a request; None if no answers are kept."""
        if not self._max_bytes:
            return None
        sent = call.accept, call.content_type
        question = repr((call.method, call.path, sorted(call.params.items()), sent)).encode()
        return hashlib.sha256(question + b"\n" + (call.content or b"")).hexdigest()

    def get(self, key: str | None) -> KeptAnswer | None:
        """Return the answer to the same request, unless it has expired."""
        with self._lock:
            kept = self._kept.get(key) if key is not None else None
            if key is None or kept is None:
                return None
            if kept.expires_at is not None and kept.expires_at <= datetime.now(UTC):
                self._drop(key)
                return None
            self._kept.move_to_end(key)
            return kept

    def put(self, key: str | None, kept: KeptAnswer) -> None:
        """Keep an answer; drop those that were used least recently."""
        if key is None or kept.size > self._max_bytes:
            return
        with self._lock:
            self._drop(key)
            self._kept[key] = kept
            self._bytes += kept.size
            while self._bytes > self._max_bytes:
                self._drop(next(iter(self._kept)))

    def forget(self, id_: str) -> None:
        """Drop the translations of an id whose heat maps are gone."""
        with self._lock:
            gone = [key for key, kept in self._kept.items() if _has_id(kept.value, id_)]
            for key in gone:
                self._drop(key)

    def _drop(self, key: str) -> None:
        kept = self._kept.pop(key, None)
        self._bytes -= kept.size if kept is not None else 0


def _has_id(value: object, id_: str) -> bool:
    return isinstance(value, Translation) and value.id == id_
