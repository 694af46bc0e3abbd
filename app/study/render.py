"""Print the results of a study to a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.study.database import Facts
from app.study.results import FirstPlace, Results


def render(results: Results, facts: Facts, console: Console) -> None:
    """Print the table, the test of the first place, and how both are to be read."""
    console.print(Text(f"{facts.source} to {facts.target}: {facts.question}"), soft_wrap=True)
    console.print(_table(results))
    for sentence in _sentences(results):
        console.print(Text(sentence), soft_wrap=True)


def _table(results: Results) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0))
    for name in ("place", "model", "version", "votes", "share", "95 % interval"):
        left = name in ("model", "version")
        table.add_column(name, justify="left" if left else "right", no_wrap=True)
    for row in results.rows:
        low, high = row.interval
        table.add_row(
            str(row.place),
            Text(row.model),
            row.version[:12],
            f"{row.votes:,}",
            f"{row.share:.1%}",
            f"{low:.1%} to {high:.1%}",
        )
    return table


def _sentences(results: Results) -> Iterator[str]:
    votes = sum(row.votes for row in results.rows)
    yield (
        f"{votes:,} votes of {results.participants:,} participants on {results.pictures:,} pictures; "
        f"{results.complete:,} participants voted on every picture; "
        f"a picture has {results.fewest:,} to {results.most:,} votes."
    )
    if results.first is None:
        yield "Nobody has voted yet, so no model has the first place."
        return
    yield _test(results.first, len(results.rows))
    yield (
        "Intervals are Wilson's. Every vote counts once, also of participants who stopped early. Intervals "
        "and test take all votes as independent; votes of one participant, or on one picture, resemble each "
        "other, so the truth is less certain than both say."
    )


def _test(first: FirstPlace, models: int) -> str:
    test = (
        f"Exact binomial test against a share of 1/{models}, one-sided: p = {first.p:.3g}; "
        f"for any of the {models} models (p times {models}): {first.p_of_any:.3g}."
    )
    if len(first.models) > 1:
        return (
            f"First place: shared by {' and '.join(first.models)} with {first.votes:,} votes each, so no "
            f"model is first. {test}"
        )
    verdict = "more often than chance" if first.p_of_any < 0.05 else "not clearly more often than chance"
    return f"First place: {first.models[0]}, chosen {verdict} (5 % level). {test}"
