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
    """The right to hold pictures in a direction. It belongs to the task that requested it."""

    def __init__(self, client: str) -> None:
        self.client = client
        self.weight = 1
        """How many pictures it holds, such as the faces of one photo."""
        self.running = False
        """Whether a picture of it is in a run; the permit cannot be revoked then."""
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

    A request of several pictures counts at most as a fair share: all permits while its client is alone. So
    one that is heavier than the queue is admitted when the queue is empty, and excludes no other client.
    """

    def __init__(self, permits: int) -> None:
        self.permits = permits
        self._held: dict[str, list[Permit]] = {}  # by client, the oldest first
        self._seconds_per_picture = 0.0

    @property
    def held(self) -> int:
        """How many permits are held."""
        return sum(self._holdings(len(self._held)).values())

    @contextmanager
    def permit(self, client: str = "") -> Iterator[Permit]:
        """Hold a permit until the end of the block.

        Raises:
            QueueFull, FairShare: no permit is available; or another client needed this one later.
        """
        self._make_room(client, 1)
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

    def grow(self, permit: Permit, pictures: int) -> None:
        """Let a held permit stand for several pictures.

        Raises:
            QueueFull, FairShare: so many are not available.
        """
        if permit.revoked or pictures <= permit.weight:
            return
        self._make_room(permit.client, min(pictures, self._share(len(self._held))) - permit.weight)
        permit.weight = pictures

    def check(self, client: str = "") -> None:
        """Check that the client could get a permit now.

        Raises:
            QueueFull, FairShare: no permit is available.
        """
        self._find_revocable(client, 1)

    def record_run(self, seconds: float, pictures: int) -> None:
        """Update the time that a picture takes, from which `retry_after_seconds` follows."""
        each = seconds / pictures
        first = self._seconds_per_picture == 0.0
        self._seconds_per_picture += (each - self._seconds_per_picture) * (1.0 if first else _SMOOTHING)

    @property
    def retry_after_seconds(self) -> int:
        """Whole seconds until the pictures that hold permits now will be done; at least 1."""
        return max(1, math.ceil(self.held * self._seconds_per_picture))

    def _share(self, clients: int) -> int:
        """Return the fair share of each of so many clients, at least one permit."""
        return max(1, self.permits // max(1, clients))

    def _holdings(self, clients: int) -> dict[str, int]:
        """Return how many permits each client holds, counted as if there were so many clients."""
        share = self._share(clients)
        return {
            client: sum(min(permit.weight, share) for permit in permits)
            for client, permits in self._held.items()
        }

    def _make_room(self, client: str, pictures: int) -> None:
        """Revoke permits of other clients until so many are free.

        Raises:
            QueueFull, FairShare: not enough may be revoked.
        """
        for permit in self._find_revocable(client, pictures):
            permit.revoke()
            self._release(permit)

    def _find_revocable(self, client: str, pictures: int) -> list[Permit]:
        """Return the permits to revoke so that a client can have so many more; none if they are free.

        Raises:
            QueueFull, FairShare: they are not free, and not enough may be revoked.
        """
        clients = len(self._held.keys() | {client})
        holdings = self._holdings(clients)
        missing = sum(holdings.values()) + pictures - self.permits
        wanted = holdings.pop(client, 0) + pictures
        found: list[Permit] = []
        while missing > 0:
            permit = self._next_revocable(holdings, wanted, found, self._share(clients))
            if permit is None:
                raise self._refusal(client)
            weight = min(permit.weight, self._share(clients))
            holdings[permit.client] -= weight
            missing -= weight
            found.append(permit)
        return found

    def _next_revocable(
        self, holdings: dict[str, int], wanted: int, found: list[Permit], share: int
    ) -> Permit | None:
        """Return the newest permit of the client that holds most, if it keeps as many as the other wants.

        To revoke one of a client that would keep less would only swap the two clients.
        """
        for other in sorted(holdings, key=lambda name: -holdings[name]):
            for permit in reversed(self._held[other]):
                keeps = holdings[other] - min(permit.weight, share)
                if keeps >= wanted and not permit.running and permit not in found:
                    return permit
        return None

    def _refusal(self, client: str) -> QueueFull | FairShare:
        if self._held.get(client) and len(self._held) > 1:
            return self._fair_share_error()
        wait = with_jitter(self.retry_after_seconds)
        return QueueFull(f"The queue is full ({self.permits} pictures); try again in {wait} s.", wait)

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
