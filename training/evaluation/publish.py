"""Add an evaluation to a ledger, and write the ledger's page beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from models.files.text import ESCAPED, as_text
from models.storage.durable import replace_file
from training.evaluation.errors import EvaluationError
from training.evaluation.ledger import LedgerRow, merge, read_ledger, to_ledger
from training.evaluation.results import MARK, render_results


def refuse_other_ledger(path: Path) -> None:
    """Check that a ledger and its page can be written without replacing another file.

    Raises:
        EvaluationError: the name does not end in `.json`, or one of the two files is another.
        OSError: a file cannot be read.
    """
    if path.suffix != ".json":
        raise EvaluationError(
            f"--ledger needs a file whose name ends in .json, got {as_text(path)}; its page gets the same "
            "name with .md."
        )
    for file in (path, path.with_suffix(".md")):
        if file.is_dir():
            raise EvaluationError(f"--ledger needs a file, and {as_text(file)} is a folder; name a file.")
    read_ledger(path)
    page = path.with_suffix(".md")
    if page.exists() and not page.read_bytes().startswith(MARK.encode()):
        raise EvaluationError(
            f"--ledger {as_text(path)} would replace {as_text(page)}, which it has not written; name another "
            "file."
        )


def update_ledger(path: Path, rows: Sequence[LedgerRow]) -> None:
    """Add rows to a ledger, replace those of equal keys, and render its page.

    Raises:
        EvaluationError: as `refuse_other_ledger`.
        OSError: writing failed; each of both files is either the old or the new one.
    """
    refuse_other_ledger(path)
    whole = merge(read_ledger(path), rows)
    page = render_results(whole).encode("utf-8", ESCAPED)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, to_ledger(whole))
    replace_file(path.with_suffix(".md"), page)
