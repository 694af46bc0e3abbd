"""A study as participants see it: the next picture, its images, and the model that a choice means."""

from __future__ import annotations

import re
import secrets
from typing import Final, NamedTuple

from app.study.database import SOURCE, Database
from app.study.order import Order

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{22}")


class UnknownParticipant(LookupError):
    """No participant has this token."""


class UnknownPicture(LookupError):
    """The study has no picture of this number."""


class UnknownChoice(ValueError):
    """A picture has no choice of this number."""


class Progress(NamedTuple):
    """How far a participant is. Pictures are counted from 1, in the participant's own order."""

    pictures: int
    votes: int
    next: int | None
    """The first picture without a vote; None after the last one."""


class Study:
    """One study. Pictures and choices are counted from 1, in an order of each participant's own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        facts = database.facts()
        self.source, self.target, self.question = facts.source, facts.target, facts.question
        self.pictures = len(database.pictures())
        self.choices = len(database.models())
        self._order = Order(facts.secret)

    def begin(self) -> str:
        """Return the token of a new participant."""
        token = secrets.token_urlsafe(16)
        self._database.add_participant(token)
        return token

    def progress(self, token: str) -> Progress:
        """Return how far a participant is.

        Raises:
            UnknownParticipant: no participant has this token.
        """
        votes = self._database.votes_of(self._participant(token))
        order = self._order.of_pictures(token, self.pictures)
        places = (place for place, picture in enumerate(order, start=1) if picture not in votes)
        return Progress(self.pictures, len(votes), next(places, None))

    def chosen(self, token: str, place: int) -> int | None:
        """Return a participant's choice for a picture; None before the vote.

        Raises:
            UnknownParticipant, UnknownPicture: the token or the place is unknown.
        """
        participant, picture = self._participant(token), self._picture(token, place)
        model = self._database.votes_of(participant).get(picture)
        return None if model is None else self._models(token, picture).index(model) + 1

    def image(self, token: str, place: int, choice: int | None) -> bytes:
        """Return a JPEG file: one of a picture's translations, or the source for None.

        Raises:
            UnknownParticipant, UnknownPicture, UnknownChoice: the token, the place or the choice is unknown.
        """
        self._participant(token)
        picture = self._picture(token, place)
        model = SOURCE if choice is None else self._model(token, picture, choice)
        return self._database.image(picture, model)

    def vote(self, token: str, place: int, choice: int) -> Progress:
        """Write a participant's choice for a picture, which replaces an earlier one.

        Raises:
            UnknownParticipant, UnknownPicture, UnknownChoice: the token, the place or the choice is unknown.
        """
        participant, picture = self._participant(token), self._picture(token, place)
        self._database.vote(participant, picture, self._model(token, picture, choice))
        return self.progress(token)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _participant(self, token: str) -> int:
        number = self._database.participant(token) if _TOKEN.fullmatch(token) else None
        if number is None:
            raise UnknownParticipant(
                "This link belongs to no participant of this study; check it, or begin as a new participant."
            )
        return number

    def _picture(self, token: str, place: int) -> int:
        if not 1 <= place <= self.pictures:
            raise UnknownPicture(f"The pictures of this study are 1 to {self.pictures}, got {place}.")
        return self._order.of_pictures(token, self.pictures)[place - 1]

    def _models(self, token: str, picture: int) -> list[int]:
        return self._order.of_models(token, picture, self.choices)

    def _model(self, token: str, picture: int, choice: int) -> int:
        if not 1 <= choice <= self.choices:
            raise UnknownChoice(f"The choices are 1 to {self.choices}, got {choice}.")
        return self._models(token, picture)[choice - 1]
