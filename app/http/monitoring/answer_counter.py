"""What servers and middleware report their answers to."""

from __future__ import annotations

from typing import Protocol


class AnswerCounter(Protocol):
    """Counts the answers of an application."""

    def count_answer(self, route: str, method: str, status: int, problem: str | None) -> None:
        """Count an answer, and its problem code if it has one."""


class NoCounter:
    """An application without metrics."""

    def count_answer(self, route: str, method: str, status: int, problem: str | None) -> None:
        """Count nothing."""
