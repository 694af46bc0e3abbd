"""A queue that serves its clients in turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """A round-robin queue: one item of each client in turn, a client's own items in their order.

    Between two items of a client every other waiting client is served once, so no client starves. A client
    that arrives goes before the one that was served last and waits again, such as one with a long animation;
    only one does so between two items, however many arrive.
    """

    def __init__(self) -> None:
        self._queues: dict[str, deque[T]] = {}  # by client, the next one first
        self._served: str | None = None
        """The last of the clients, if it was served and no other has gone before it since."""

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def __iter__(self) -> Iterator[T]:
        for queue in self._queues.values():
            yield from queue

    def add(self, client: str, item: T) -> None:
        """Append an item to its client's own; a client without items is added to the clients."""
        arrives = client not in self._queues
        self._queues.setdefault(client, deque()).append(item)
        if arrives and self._served in self._queues:
            self._queues[self._served] = self._queues.pop(self._served)
        if arrives:
            self._served = None

    def pop(self) -> T:
        """Remove and return the next item."""
        client = next(iter(self._queues))
        queue = self._queues.pop(client)
        item = queue.popleft()
        if queue:
            self._queues[client] = queue
        self._served = client if queue else None
        return item

    def put_back(self, client: str, item: T) -> None:
        """Make an item that was popped, but not served, the next one again."""
        queue = self._queues.pop(client, deque())
        queue.appendleft(item)
        self._queues = {client: queue, **self._queues}
        self._served = None

    def discard(self, client: str, item: T) -> None:
        """Remove an item, if it is in the queue."""
        queue = self._queues.get(client, deque())
        if item in queue:
            queue.remove(item)
            if not queue:
                del self._queues[client]
