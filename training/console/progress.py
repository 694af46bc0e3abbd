"""A bar that counts pictures, for commands that take minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


@contextmanager
def counting_pictures(console: Console, words: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar within the block; what it yields is called with the number of pictures just done."""
    count = TextColumn("{task.completed} of {task.total}")
    columns = (TextColumn("{task.description}"), BarColumn(), count, TimeElapsedColumn())
    shown = console.is_terminal  # elsewhere an empty line would be all that is left of it
    with Progress(*columns, console=console, transient=True, disable=not shown) as progress:
        task = progress.add_task(words, total=total)
        yield lambda count: progress.advance(task, count)
