"""Bound how many pictures a direction holds at once, and share that number among clients."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager

from app.engine.errors import FairShare, QueueFull
from app.engine.retry import with_jitter

_SMOOTHING = 0.2


class Permit:
    """The right to hold one picture in a direction. It belongs to the task that requested it."""

    def __init__(self, client: str) -> None:
        self.client = client
        self.running = False
        """Whether the picture is in a run; the permit cannot be revoked then."""
        self.revoked = False
        self._task = asyncio.current_task()

    def revoke(self) -> None:
        """Cancel the task that holds the permit."""
        assert self._task is not None
        self.revoked = True
        self._task.cancel()

    def clear_revocation(self) -> bool:
        """Undo the cancellation by `revoke`; return whether it was the task's only cancellation."""
        assert self._task is not None
        return self.revoked and self._task.uncancel() == 0


class Admission:
    """The permits of one direction; every picture in it holds one.

    A single client may hold all permits, so none is idle while a client waits. When another client arrives
    and no permit is free, the client with the most permits loses its newest one that is not in a run. So one
    client's crowd of requests excludes no other client, and a client within its fair share loses none.
    """

    def __init__(self, permits: int) -> None:
        self.permits = permits
        self._held: dict[str, list[Permit]] = {}  # by client, the oldest first
        self._seconds_per_picture = 0.0

    @property
    def held(self) -> int:
        """How many permits are held."""
        return sum(map(len, self._held.values()))

    @contextmanager
    def permit(self, client: str = "") -> Iterator[Permit]:
        """Hold a permit until the end of the block.

        Raises:
            QueueFull, FairShare: no permit is available; or another client needed this one later.
        """
        revocable = self._find_revocable(client)
        if revocable is not None:
            revocable.revoke()
            self._release(revocable)
        permit = Permit(client)
        self._held.setdefault(client, []).append(permit)
        try:
            yield permit
        except asyncio.CancelledError:
            if not permit.clear_revocation():
                raise
            raise self._fair_share_error() from None
        finally:
            self._release(permit)

    def check(self, client: str = "") -> None:
        """Check that the client could get a permit now.

        Raises:
            QueueFull, FairShare: no permit is available.
        """
        self._find_revocable(client)

    def record_run(self, seconds: float, pictures: int) -> None:
        """Update the time that a picture takes, from which `retry_after_seconds` follows."""
        each = seconds / pictures
        first = self._seconds_per_picture == 0.0
        self._seconds_per_picture += (each - self._seconds_per_picture) * (1.0 if first else _SMOOTHING)

    @property
    def retry_after_seconds(self) -> int:
        """Whole seconds until the pictures that hold permits now will be done; at least 1."""
        return max(1, math.ceil(self.held * self._seconds_per_picture))

    def _find_revocable(self, client: str) -> Permit | None:
        """Return the permit to revoke for this client; None if one is free.

        Raises:
            QueueFull, FairShare: none is free, and none may be revoked.
        """
        if self.held < self.permits:
            return None
        own = len(self._held.get(client, ()))
        for other in sorted(self._held, key=lambda name: -len(self._held[name])):
            if len(self._held[other]) <= own + 1:  # revoking one would only swap the two clients
                break
            for permit in reversed(self._held[other]):
                if not permit.running:
                    return permit
        if own and len(self._held) > 1:
            raise self._fair_share_error()
        wait = with_jitter(self.retry_after_seconds)
        raise QueueFull(f"The queue is full ({self.permits} pictures); try again in {wait} s.", wait)

    def _fair_share_error(self) -> FairShare:
        wait = with_jitter(self.retry_after_seconds)
        sentence = (
            f"You hold your fair share of the queue ({self.permits} pictures), and other clients wait; "
            f"try again in {wait} s."
        )
        return FairShare(sentence, wait)

    def _release(self, permit: Permit) -> None:
        held = self._held.get(permit.client, [])
        if permit in held:
            held.remove(permit)
        if not held:
            self._held.pop(permit.client, None)
