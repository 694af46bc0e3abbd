"""Decide after each answer: done, refused, or try again. No input or output happens here."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar, cast

from ugatit_client.answer_cache import AnswerCache, KeptAnswer
from ugatit_client.calls import Answer, Call
from ugatit_client.errors import DeadlineReached, ProblemError, UnexpectedAnswer, Unreachable, problem_of

T = TypeVar("T")

_RETRIED: Final = (429, 503)
_JITTER: Final = 0.25
"""A wait is longer than Retry-After by up to this share, so that clients do not return all at once."""
_LEAST_JITTER_SECONDS: Final = 0.1


class Exchange(Generic[T]):
    """One call with its attempts, within a deadline."""

    def __init__(
        self,
        call: Call[T],
        cache: AnswerCache,
        deadline_seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            call: the request.
            cache: keeps answers that have an ETag.
            deadline_seconds: for all attempts and the waits between them.
            clock: returns seconds.

        Raises:
            ValueError: the deadline is not positive.
        """
        if not deadline_seconds > 0:
            raise ValueError(f"deadline_seconds must be above 0, got {deadline_seconds:g}")
        self._call = call
        self._cache = cache
        self._key = cache.key(call)
        self._kept = cache.get(self._key)
        self._deadline_seconds = deadline_seconds
        self._clock = clock
        self._end = clock() + deadline_seconds
        self._broke = False
        self._problem: ProblemError | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the next attempt."""
        known = {} if self._kept is None else {"If-None-Match": self._kept.etag}
        return self._call.headers | known

    def remaining(self) -> float:
        """Return the seconds that are left.

        Raises:
            DeadlineReached: none are.
        """
        seconds = self._end - self._clock()
        if seconds <= 0:
            raise self.deadline_reached()
        return seconds

    def deadline_reached(self) -> DeadlineReached:
        """Return the error of a reached deadline; its cause is the last refusal."""
        error = DeadlineReached(
            f"The service did not answer within {self._deadline_seconds:g} s; try again later, or allow more "
            "time with deadline_seconds."
        )
        error.__cause__ = self._problem
        return error

    def wait_after(self, answer: Answer) -> float | None:
        """Return the seconds to wait before the next attempt; None if the answer is the result.

        Raises:
            ProblemError: the service refused the request, and there is no time for another attempt.
        """
        if answer.status < 300 or (answer.status == 304 and self._kept is not None):
            return None
        problem = self._problem = problem_of(*answer)
        wait = retry_wait(problem)
        if wait is None or wait >= self._end - self._clock():
            raise problem
        return wait

    def after_break(self, error: Exception) -> None:
        """Allow one more attempt after a broken connection: a server may close one that was idle.

        Raises:
            Unreachable: a connection broke before.
        """
        if self._broke:
            raise self.unreachable(error)
        self._broke = True

    def unreachable(self, error: Exception) -> Unreachable:
        """Return the error of a service that cannot be reached."""
        failed = Unreachable(
            f"The service cannot be reached ({str(error) or type(error).__name__}); check its address, and "
            "that it runs."
        )
        failed.__cause__ = error
        return failed

    def result(self, answer: Answer) -> T:
        """Return what the answer says, and keep it if it has an ETag.

        Raises:
            UnexpectedAnswer: it is not the service's.
        """
        if answer.status == 304 and self._kept is not None:
            return cast(T, self._kept.value)
        if answer.status != 200:
            raise UnexpectedAnswer(f"Expected status 200, got {answer.status}; check the service's address.")
        value = self._call.result(answer)
        etag = answer.headers.get("etag")
        if etag is not None:
            kept = KeptAnswer(etag, value, len(answer.content), self._call.expires(value))
            self._cache.put(self._key, kept)
        return value


def retry_wait(problem: ProblemError) -> float | None:
    """Return the seconds until a request may be sent again; None if the service does not ask for that."""
    seconds = problem.retry_after_seconds
    if problem.status not in _RETRIED or seconds is None:
        return None
    return seconds + random.uniform(0, max(_JITTER * seconds, _LEAST_JITTER_SECONDS))  # noqa: S311
