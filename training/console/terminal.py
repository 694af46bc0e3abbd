"""The terminal of `ugatit-train`. It shows paths and names as they are: nothing in them is markup."""

from __future__ import annotations

from rich.console import Console
from rich.status import Status
from rich.text import Text

from models.files.text import as_text


def open_console(*, stderr: bool = False, quiet: bool = False) -> Console:
    """Return a console for messages that contain data. A message is one line, also where it is long."""
    return Console(stderr=stderr, quiet=quiet, markup=False, emoji=False, highlight=False, soft_wrap=True)


def busy(console: Console, sentence: str) -> Status:
    """Return a spinner with a sentence. `Console.status` itself would interpret markup in the sentence."""
    return console.status(Text(as_text(sentence)))
