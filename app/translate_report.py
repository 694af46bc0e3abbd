"""What the user reads after `ugatit translate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.console import say
from models.files.text import as_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.translate_plan import Report

_NAMED: Final = 5
"""Pictures without a face that are named; the others are counted."""


def print_report(report: Report, out: str | Path) -> None:
    """Print a line for each remark, and for each picture that failed.

    Args:
        report: of the run.
        out: the folder of the results.
    """
    finished = _remarks_on_finished(len(report.finished), out)
    for remark in (*report.remarks, *finished, *_remarks_on_faces(report.without_face)):
        say(remark)
    for picture, reason in report.failures:
        say(f"{picture}: {reason}")


def write_report_gallery(page: Path, direction: str, report: Report) -> None:
    """Write the pictures of a run with their translations as one HTML page."""
    from app.translated_gallery import Shown, write_gallery

    missing = {picture for picture, _ in report.failures}
    shown = [
        Shown(Path(source), list(map(Path, results)))
        for source, results in report.results.items()
        if source not in missing
    ]
    write_gallery(page, direction, shown, [(Path(picture), reason) for picture, reason in report.failures])


def _remarks_on_finished(count: int, out: str | Path) -> list[str]:
    """Return a sentence about pictures that were not translated again; none without such pictures."""
    if not count:
        return []
    pictures = "1 picture was" if count == 1 else f"{count:,} pictures were"
    return [
        f"{pictures} not translated again, because {as_text(out)} has results that are newer than picture "
        "and bundle; use --force after a change of options."
    ]


def _remarks_on_faces(without_face: Sequence[str]) -> list[str]:
    """Return a sentence that names the pictures without a face; none without such pictures."""
    if not without_face:
        return []
    names = ", ".join(as_text(path) for path in sorted(without_face)[:_NAMED])
    more = f" and {len(without_face) - _NAMED} more" if len(without_face) > _NAMED else ""
    return [
        f"No face was found in {names}{more}, so --fit decided what was translated; "
        "use --face none to search for none."
    ]
