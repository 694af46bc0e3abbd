"""Bound how much a direction holds at once, share it among clients, and tell the others when to come back."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager

from app.engine.errors import FairShare, QueueFull
from app.engine.retry import spread

_SMOOTHING = 0.2


class Permit:
    """One picture's place in a direction, held by the task that asked for it."""

    def __init__(self, client: str) -> None:
        self.client = client
        self.running = False
        """Whether its picture is in a run: then nobody else may have the place any more."""
        self.displaced = False
        self._task = asyncio.current_task()

    def displace(self) -> None:
        """Make the task that holds it stop, at its next chance."""
        assert self._task is not None
        self.displaced = True
        self._task.cancel()

    def absorb(self) -> bool:
        """Whether a cancellation that has arrived is `displace`'s alone, and nobody else's too."""
        assert self._task is not None
        return self.displaced and self._task.uncancel() == 0


class Admission:
    """The permits of one direction. Whoever holds a picture of it holds a permit.

    A client may hold all of them, so none is idle that somebody wants. When another client comes and none is
    left, the one who holds most gives up the newest that is not being run; so nobody is kept out by a crowd,
    and who has no more than his share keeps it.
    """

    def __init__(self, permits: int) -> None:
        self.permits = permits
        self._held: dict[str, list[Permit]] = {}  # the oldest first
        self._seconds_each = 0.0

    @property
    def held(self) -> int:
        """How many permits are held."""
        return sum(map(len, self._held.values()))

    @contextmanager
    def permit(self, client: str = "") -> Iterator[Permit]:
        """Hold a permit; every way out of the block gives it back.

        Raises:
            QueueFull, FairShare: none is to be had; or this one was, later, needed for another client.
        """
        victim = self._look(client)
        if victim is not None:
            victim.displace()
            self._give_back(victim)
        permit = Permit(client)
        self._held.setdefault(client, []).append(permit)
        try:
            yield permit
        except asyncio.CancelledError:
            if not permit.absorb():
                raise
            raise self._share_refusal() from None
        finally:
            self._give_back(permit)

    def check(self, client: str = "") -> None:
        """Look whether a permit could be had.

        Raises:
            QueueFull, FairShare: it could not.
        """
        self._look(client)

    def measured(self, run_seconds: float, pictures: int) -> None:
        """Learn from a run how long a picture takes."""
        each = run_seconds / pictures
        first = self._seconds_each == 0.0
        self._seconds_each += (each - self._seconds_each) * (1.0 if first else _SMOOTHING)

    @property
    def retry_after_seconds(self) -> int:
        """Whole seconds until what is held now will be done; at least 1."""
        return max(1, math.ceil(self.held * self._seconds_each))

    def _look(self, client: str) -> Permit | None:
        """Whose permit this client would get: None is a free one."""
        if self.held < self.permits:
            return None
        own = len(self._held.get(client, ()))
        for other in sorted(self._held, key=lambda name: -len(self._held[name])):
            if len(self._held[other]) <= own + 1:  # to take one would only swap the two
                break
            for permit in reversed(self._held[other]):
                if not permit.running:
                    return permit
        if own and len(self._held) > 1:
            raise self._share_refusal()
        wait = spread(self.retry_after_seconds)
        raise QueueFull(f"The queue is full ({self.permits} pictures); try again in {wait} s.", wait)

    def _share_refusal(self) -> FairShare:
        wait = spread(self.retry_after_seconds)
        sentence = f"Others need their share of the queue ({self.permits} pictures); try again in {wait} s."
        return FairShare(sentence, wait)

    def _give_back(self, permit: Permit) -> None:
        held = self._held.get(permit.client, [])
        if permit in held:
            held.remove(permit)
        if not held:
            self._held.pop(permit.client, None)
