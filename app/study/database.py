"""The database of a study: its models, pictures, translations, participants and votes, in one SQLite file."""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from app.study.errors import StudyError

_APPLICATION_ID: Final = 0x75677374
"""Marks a file as a study in SQLite's header."""
_FORMAT: Final = 1
_BUSY_SECONDS: Final = 10.0
SOURCE: Final = -1
"""The number of the source among the images of a picture; the models count from 0."""

_SCHEMA: Final = f"""
BEGIN;
CREATE TABLE study (source TEXT NOT NULL, target TEXT NOT NULL, question TEXT NOT NULL, secret BLOB NOT NULL,
    started TEXT NOT NULL);
CREATE TABLE models (number INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL UNIQUE);
CREATE TABLE pictures (number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL UNIQUE);
CREATE TABLE images (picture INTEGER NOT NULL REFERENCES pictures, model INTEGER NOT NULL, jpeg BLOB NOT NULL,
    PRIMARY KEY (picture, model)) WITHOUT ROWID;
CREATE TABLE participants (number INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, started TEXT NOT NULL);
CREATE TABLE votes (participant INTEGER NOT NULL REFERENCES participants,
    picture INTEGER NOT NULL REFERENCES pictures, model INTEGER NOT NULL REFERENCES models,
    voted TEXT NOT NULL, UNIQUE (participant, picture));
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {_FORMAT};
"""


class Facts(NamedTuple):
    """What a study is about."""

    source: str
    target: str
    question: str
    secret: bytes
    """The seed of every random order."""


class Vote(NamedTuple):
    """One participant's choice for one picture; all are numbers of the database."""

    participant: int
    picture: int
    model: int
    voted: str


class Database:
    """An open database. Every change is on the disk when its method returns. Safe from any thread."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.Lock()

    @property
    def is_new(self) -> bool:
        """Whether the file holds no study yet."""
        return self._number("PRAGMA application_id") == 0

    def create(
        self,
        *,
        source: str,
        target: str,
        question: str,
        models: Sequence[tuple[str, str]],
        pictures: Sequence[tuple[str, str]],
    ) -> None:
        """Write a new study, completely or not at all.

        Args:
            source: the domain that is translated.
            target: the domain of the translations.
            question: what participants are asked.
            models: name and version of each.
            pictures: name and sha256 of each.
        """
        with self._writing():
            self._connection.executescript(_SCHEMA)
            facts = (source, target, question, secrets.token_bytes(32), _now())
            self._connection.execute("INSERT INTO study VALUES (?, ?, ?, ?, ?)", facts)
            self._connection.executemany("INSERT INTO models VALUES (?, ?, ?)", _numbered(models))
            self._connection.executemany("INSERT INTO pictures VALUES (?, ?, ?)", _numbered(pictures))

    def facts(self) -> Facts:
        """Return what the study is about."""
        return Facts(*self._rows("SELECT source, target, question, secret FROM study")[0])

    def models(self) -> list[tuple[str, str]]:
        """Return name and version of each model, by number."""
        return self._rows("SELECT name, version FROM models ORDER BY number")

    def pictures(self) -> list[tuple[str, str]]:
        """Return name and sha256 of each picture, by number."""
        return self._rows("SELECT name, sha256 FROM pictures ORDER BY number")

    def image(self, picture: int, model: int) -> bytes:
        """Return a JPEG file: a model's translation of a picture, or `SOURCE`."""
        found = self._rows("SELECT jpeg FROM images WHERE picture = ? AND model = ?", picture, model)
        return bytes(found[0][0])

    def pictures_without_images(self) -> list[int]:
        """Return the numbers of the pictures that are not translated yet."""
        rows = self._rows(
            "SELECT number FROM pictures WHERE number NOT IN (SELECT picture FROM images) ORDER BY number"
        )
        return [number for (number,) in rows]

    def add_images(self, picture: int, images: Sequence[tuple[int, bytes]]) -> None:
        """Write all images of a picture, each with its model's number, or none."""
        rows = [(picture, model, jpeg) for model, jpeg in images]
        with self._writing():
            self._connection.executemany("INSERT OR REPLACE INTO images VALUES (?, ?, ?)", rows)

    def add_participant(self, token: str) -> None:
        """Write a new participant."""
        with self._writing():
            self._connection.execute(
                "INSERT INTO participants (token, started) VALUES (?, ?)", (token, _now())
            )

    def participant(self, token: str) -> int | None:
        """Return the number of the participant with a token; None for an unknown token."""
        found = self._rows("SELECT number FROM participants WHERE token = ?", token)
        return int(found[0][0]) if found else None

    def vote(self, participant: int, picture: int, model: int) -> None:
        """Write a participant's choice for a picture; it replaces an earlier one."""
        with self._writing():
            self._connection.execute(
                "INSERT INTO votes VALUES (?, ?, ?, ?) ON CONFLICT (participant, picture) "
                "DO UPDATE SET model = excluded.model, voted = excluded.voted",
                (participant, picture, model, _now()),
            )

    def votes_of(self, participant: int) -> dict[int, int]:
        """Return the model chosen for each picture that a participant has voted on."""
        return dict(self._rows("SELECT picture, model FROM votes WHERE participant = ?", participant))

    def votes(self) -> list[Vote]:
        """Return all votes in a fixed order."""
        rows = self._rows(
            "SELECT participant, picture, model, voted FROM votes ORDER BY participant, picture"
        )
        return [Vote(*row) for row in rows]

    def close(self) -> None:
        """Close the file; everything is written already."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Commit what is written within the block, or nothing of it."""
        with self._lock, _readable_errors(self.path), self._connection:
            yield

    def _rows(self, query: str, *values: str | int) -> list[tuple[Any, ...]]:
        with self._lock, _readable_errors(self.path):
            return self._connection.execute(query, values).fetchall()

    def _number(self, query: str) -> int:
        return int(self._rows(query)[0][0])


def refuse_path(path: Path) -> None:
    """Check that a file can be at a path.

    Raises:
        StudyError: a folder is there, or its own folder is missing.
    """
    if path.is_dir():
        raise StudyError(
            f"--db needs a file, and {path} is a folder; name a file, such as {path / 'study.db'}."
        )
    if not path.absolute().parent.is_dir():
        raise StudyError(
            f"--db needs an existing folder, and {path.absolute().parent} does not exist; create it first."
        )


def open_database(path: Path) -> Database:
    """Open a study's database for a service; a missing or empty file has no study yet.

    Raises:
        StudyError: the file is something else, or cannot be opened.
    """
    return _open(path, "rwc")


@contextmanager
def reading_database(path: Path) -> Iterator[Database]:
    """Open an existing study within the block, to read it only, also while it is served.

    Raises:
        StudyError: the file does not exist, or is not a study.
    """
    if not path.is_file():
        raise StudyError(f"{path} is not a file; give the file that ugatit study --db wrote.")
    with closing(_open(path, "ro")) as database:
        if database.is_new:
            raise StudyError(f"{path} holds no study; give the file that ugatit study --db wrote.")
        yield database


def _open(path: Path, mode: Literal["rwc", "ro"]) -> Database:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    with _readable_errors(path):
        connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, check_same_thread=False)
        try:
            _refuse_others(path, connection)
            connection.execute("PRAGMA foreign_keys = ON")
            if mode == "rwc":
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")  # a vote survives a power failure too
        except BaseException:
            connection.close()
            raise
    return Database(path, connection)


@contextmanager
def _readable_errors(path: Path) -> Iterator[None]:
    """Turn errors of SQLite within the block into a sentence, but not a programmer's."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise
    except sqlite3.Error as error:
        raise StudyError(
            f"{path} cannot be used as a study's database ({error}); check the file and its disk, or name "
            "another file."
        ) from error


def _refuse_others(path: Path, connection: sqlite3.Connection) -> None:
    mark = int(connection.execute("PRAGMA application_id").fetchone()[0])
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if mark != _APPLICATION_ID and (mark or tables):
        raise StudyError(f"{path} is the database of another program; name another --db.")
    if mark == _APPLICATION_ID and version != _FORMAT:
        raise StudyError(
            f"{path} has format {version}, and this version of ugatit reads {_FORMAT}; update ugatit."
        )


def _numbered(rows: Sequence[tuple[str, str]]) -> Iterator[tuple[int, str, str]]:
    return ((number, *row) for number, row in enumerate(rows))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
