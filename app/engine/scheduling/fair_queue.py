"""A queue in which every client has his turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """Clients are served one after the other, an item each; a client's own items in their order.

    Between two of a client's items every other client who waits is served once, so nobody starves.
    """

    def __init__(self) -> None:
        self._queues: dict[str, deque[T]] = {}  # whose turn is next comes first

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def __iter__(self) -> Iterator[T]:
        for queue in self._queues.values():
            yield from queue

    def add(self, client: str, item: T) -> None:
        """Wait behind the client's own items; a client who had none waits behind all the others."""
        self._queues.setdefault(client, deque()).append(item)

    def take(self) -> T:
        """The item whose turn it is."""
        client = next(iter(self._queues))
        queue = self._queues.pop(client)
        item = queue.popleft()
        if queue:
            self._queues[client] = queue
        return item

    def give_back(self, client: str, item: T) -> None:
        """What was taken and could not be served is the next again: its turn was no turn."""
        queue = self._queues.pop(client, deque())
        queue.appendleft(item)
        self._queues = {client: queue, **self._queues}

    def discard(self, client: str, item: T) -> None:
        """Forget an item, if it still waits."""
        queue = self._queues.get(client, deque())
        if item in queue:
            queue.remove(item)
            if not queue:
                del self._queues[client]
