"""The page of a ledger in Markdown: our figures beside those that others have published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from pydantic import JsonValue

from training.console.phrases import metric_name
from training.evaluation.ledger import LedgerRow
from training.evaluation.published import Source, read_published
from training.evaluation.render import format_value

MARK: Final = "<!-- Written by ugatit-train evaluate --ledger from the JSON file beside it; edit neither. -->"
"""The first line of the page, by which the command knows that it may replace it."""

_INTRODUCTION: Final = """\
`ugatit-train evaluate --ledger` has measured and written every figure of ours. The JSON file beside this \
page has its numbers of pictures, seed, hashes, code version and machine; `docs/evaluation.md` explains it.

- KID is not multiplied by 100. Papers print it times 100: 11.61 is 0.1161 here.
- Figures of different protocols or extractors have different columns and cannot be compared. KID-lite is \
not KID.
- Compare rows only where the test pictures are the same.
- ± is the standard error over blocks in the paper's protocols, the standard deviation over subsets in \
`plain`, and what others print in their figures.
- `untranslated` compares the sources themselves with the targets."""

Cells = dict[str, str]
"""The cells of one row by the title of their column."""


class Label(NamedTuple):
    """The first cells of a row."""

    subject: str
    pictures: str
    steps: str


def render_results(rows: Sequence[LedgerRow]) -> str:
    """Return the page, a section for each direction; equal rows give equal text."""
    sources = read_published()
    tasks = dict.fromkeys(task for source in sources for task in source.kid)
    own = dict.fromkeys(row.task for row in rows if row.kind != "baseline")
    parts = [MARK, "# Results", _INTRODUCTION]
    for task in {**tasks, **own}:
        parts += [f"## {_escaped(task)}", *_tables(task, rows, sources), *_lacks(task, rows)]
    parts += ["## Sources", _legend(rows, sources)]
    return "\n\n".join(parts) + "\n"


def _tables(task: str, rows: Sequence[LedgerRow], sources: Sequence[Source]) -> list[str]:
    """Return the table of distances, and that of our other figures."""
    of_task = [row for row in rows if row.task == task or _is_reverse_baseline(row, task)]
    distances = _collect(row for row in of_task if row.extractor is not None)
    others = _collect(row for row in of_task if row.extractor is None)
    for source in sources:
        for method, figure in source.kid.get(task, {}).items():
            cells = distances.setdefault(Label(method, "published", ""), {})
            cells[source.column] = f"{figure.value:.4f} ± {figure.spread:.4f}"
    return [_table(each) for each in (distances, others) if each]


def _lacks(task: str, rows: Sequence[LedgerRow]) -> list[str]:
    """Return a list of what the methods of runs did without; nothing if they had everything."""
    named = {(row.subject, str(each)) for row in rows if row.task == task for each in _lacks_of(row)}
    return ["\n".join(f"- `{subject}`: {_escaped(each)}" for subject, each in sorted(named))] if named else []


def _lacks_of(row: LedgerRow) -> list[JsonValue]:
    lacks = row.facts.get("lacks")
    return lacks if isinstance(lacks, list) else []


def _is_reverse_baseline(row: LedgerRow, task: str) -> bool:
    """Return whether a row is the baseline of the opposite direction: these distances are symmetric."""
    source, _, target = row.task.partition("2")
    return row.kind == "baseline" and task == f"{target}2{source}"


def _collect(rows: Iterable[LedgerRow]) -> dict[Label, Cells]:
    """Return the cells of rows, the baseline first."""
    table: dict[Label, Cells] = {}
    for row in sorted(rows, key=lambda row: row.kind != "baseline"):
        counts = " + ".join(map(str, row.pictures.values()))
        label = Label(
            row.subject,
            f"{row.data} ({counts}, {row.data_fingerprint[:12]})",
            "" if row.steps is None else f"{row.steps:,}",
        )
        table.setdefault(label, {})[_column(row)] = _cell(row)
    return table


def _column(row: LedgerRow) -> str:
    """Return the title of a row's column, with all that two figures of one column have in common."""
    if row.extractor is None or row.extractor_sha256 is None:
        return row.metric
    words = [metric_name(row.metric), row.protocol, f"({row.extractor} {row.extractor_sha256[:8]})"]
    if row.subsets is not None:
        words.append(f"{row.subsets:,} subsets of {row.subset_size:,}, seed {row.seed}")
    return " ".join(filter(None, words))


def _cell(row: LedgerRow) -> str:
    spread = row.subset_std if row.subset_std is not None else row.standard_error
    return format_value(row) + ("" if spread is None else f" ± {spread:.4f}") + _count(row)


def _count(row: LedgerRow) -> str:
    """Return the number of pictures of a figure that not every picture has, such as attention in faces."""
    source, _, target = row.domains.partition("2")
    counts = {row.n_sources: row.pictures[source], row.n_targets: row.pictures[target]}
    return "".join(f" ({n} of {whole})" for n, whole in counts.items() if n is not None and n < whole)


def _table(rows: Mapping[Label, Cells]) -> str:
    titles = dict.fromkeys(column for cells in rows.values() for column in cells)
    columns = sorted(titles, key=lambda title: title.startswith("FID"))  # kernel distances first
    head = ("", "test pictures", "steps", *columns)
    lines = [_line(head), _line(["---", "---", *["--:"] * (len(head) - 2)])]
    lines += [
        _line([*map(_escaped, label), *(cells.get(column, "") for column in columns)])
        for label, cells in rows.items()
    ]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _legend(rows: Sequence[LedgerRow], sources: Sequence[Source]) -> str:
    hashes = {row.extractor: row.extractor_sha256 for row in rows if row.extractor is not None}
    extractors = [f"- `{name}`: weights with the sha256 `{sha256}`." for name, sha256 in hashes.items()]
    return "\n".join([*(f"- {source.column}: {source.words}" for source in sources), *extractors])
