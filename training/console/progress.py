"""A bar that counts pictures, for commands that take minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


@contextmanager
def counting_pictures(console: Console, words: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar within the block; what it yields is called with the number of pictures just done."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} of {task.total}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task(words, total=total)
        yield lambda count: progress.advance(task, count)
