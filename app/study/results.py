"""The results of a study: votes, shares with intervals, and a test of the first place."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from app.study.database import Database, Vote
from app.study.statistics import Interval, binomial_tail, wilson


class Row(NamedTuple):
    """One model's result."""

    place: int
    """1 for the most votes. Models with equally many votes share a place."""
    model: str
    version: str
    votes: int
    share: float
    """Of all votes; 0 without any."""
    interval: Interval


class FirstPlace(NamedTuple):
    """The test whether the most frequent choice is more frequent than chance."""

    models: list[str]
    """One model, or several with equally many votes."""
    votes: int
    p: float
    """Probability of at least as many votes of a given model, if every vote were a random choice."""
    p_of_any: float
    """An upper bound of the same probability for any of the models: p times their number, at most 1."""


class Results(NamedTuple):
    """All that is known about a study."""

    rows: list[Row]
    first: FirstPlace | None
    """None without votes."""
    pictures: int
    participants: int
    """Participants with a vote."""
    complete: int
    """Participants who voted on every picture."""
    fewest: int
    """Votes of the picture with the fewest."""
    most: int


def results_of(database: Database) -> Results:
    """Return the results so far."""
    votes, models = database.votes(), database.models()
    pictures = len(database.pictures())
    of_model = Counter(vote.model for vote in votes)
    of_participant = Counter(vote.participant for vote in votes)
    of_picture = Counter(vote.picture for vote in votes)
    counts = [of_model[number] for number in range(len(models))]
    rows = [
        Row(
            1 + sum(other > count for other in counts),
            *models[number],
            count,
            count / len(votes) if votes else 0.0,
            wilson(count, len(votes)),
        )
        for number, count in enumerate(counts)
    ]
    rows.sort(key=lambda row: row.place)
    per_picture = [of_picture[number] for number in range(pictures)]
    complete = sum(count == pictures for count in of_participant.values())
    first = _first_place(rows, len(votes))
    return Results(rows, first, pictures, len(of_participant), complete, min(per_picture), max(per_picture))


def _first_place(rows: Sequence[Row], votes: int) -> FirstPlace | None:
    if not votes:
        return None
    most = rows[0].votes
    p = binomial_tail(most, votes, len(rows))
    return FirstPlace([row.model for row in rows if row.votes == most], most, p, min(1.0, p * len(rows)))


def table_csv(results: Results) -> str:
    """Return the table as CSV, with full precision."""
    head = ("place", "model", "version", "votes", "share", "low", "high")
    return _csv(head, [(*row[:-1], *row.interval) for row in results.rows])


def votes_csv(database: Database) -> str:
    """Return every vote as CSV. Participants are numbers; their tokens stay in the database."""
    models, pictures = database.models(), database.pictures()

    def fields(vote: Vote) -> tuple[object, ...]:
        return vote.participant, pictures[vote.picture][0], *models[vote.model], vote.voted

    return _csv(("participant", "picture", "model", "version", "voted"), list(map(fields, database.votes())))


def _csv(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows([head, *rows])
    return file.getvalue()
