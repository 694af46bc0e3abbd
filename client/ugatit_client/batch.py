"""Several photos in one call: the requests, and the answers in order. No input or output happens here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ugatit_client.answers import PictureFile
from ugatit_client.calls import Answer, Call, query_of
from ugatit_client.errors import ProblemError, problem_of
from ugatit_client.exchange import retry_wait
from ugatit_client.forms import form_of

FILES_PER_REQUEST: Final = 16
"""The service's default limit."""
_REQUEST_BYTES: Final = 16 * 1024**2
"""Of the photos in one request; the service's default limit is 20 MiB."""
_MIXED: Final = "multipart/mixed"


@dataclass(frozen=True, kw_only=True)
class FileTranslation(PictureFile):
    """The translation of one photo of a batch."""

    id: str | None
    """For its heat maps; None if they are not kept."""
    faces_found: int | None = None
    """None if no faces were searched for."""


FileAnswer = FileTranslation | ProblemError
"""The answer of one photo of a batch."""


class Batch:
    """The photos of one call, until each has its answer.

    A photo that is refused with 429 or 503 and a `Retry-After` is sent again after that time, together with
    the others that were, if the deadline allows it.
    """

    def __init__(
        self,
        photos: Sequence[bytes],
        direction: str,
        options: Mapping[str, Any],
        *,
        deadline_seconds: float,
        files_per_request: int = FILES_PER_REQUEST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            photos: the bytes of their files.
            direction: a name from `directions`.
            options: see TranslateOptions.
            deadline_seconds: for all requests and the waits between them.
            files_per_request: at most; `limits.files` of the service.
            clock: returns seconds.

        Raises:
            ValueError: files_per_request is not positive.
        """
        if files_per_request < 1:
            raise ValueError(f"files_per_request must be above 0, got {files_per_request}")
        self._photos = photos
        self._params = {"direction": direction, **query_of(options)}
        self._most = files_per_request
        self._clock = clock
        self._end = clock() + deadline_seconds
        self._answers: dict[int, FileAnswer] = {}
        self._waiting = list(range(len(photos)))
        self._sent: list[int] = []
        self._refused: list[int] = []
        self._pause = 0.0

    @property
    def answers(self) -> list[FileAnswer]:
        """The answers in the order of the photos."""
        return [self._answers[number] for number in range(len(self._photos))]

    def remaining(self) -> float:
        """Return the seconds that are left; at least a moment, so that the last request is not lost."""
        return max(self._end - self._clock(), 1e-3)

    def next_call(self) -> Call[list[FileAnswer]] | None:
        """Return the next request; None when every photo has its answer."""
        if not self._waiting:
            return None
        size, self._sent = 0, []
        while self._waiting and len(self._sent) < self._most:
            size += len(self._photos[self._waiting[0]])
            if self._sent and size > _REQUEST_BYTES:
                break
            self._sent.append(self._waiting.pop(0))
        return _call([self._photos[number] for number in self._sent], self._params)

    def take(self, answers: list[FileAnswer]) -> float:
        """Note the answers of the last request; return the seconds to wait before the next one."""
        for number, answer in zip(self._sent, answers, strict=True):
            self._answers[number] = answer
            wait = retry_wait(answer) if isinstance(answer, ProblemError) else None
            if wait is not None and wait < self._end - self._clock():
                self._refused.append(number)
                self._pause = max(self._pause, wait)
        if self._waiting:
            return 0.0
        self._waiting, self._refused = self._refused, []
        pause, self._pause = self._pause, 0.0
        return pause


def _call(photos: Sequence[bytes], params: Mapping[str, str]) -> Call[list[FileAnswer]]:
    return Call(
        method="POST",
        path="/translate/batch",
        read=lambda answer: _read(answer, expected=len(photos)),
        params=params,
        accept=_MIXED,
        **form_of([("file", photo) for photo in photos]),
    )


def _read(answer: Answer, *, expected: int) -> list[FileAnswer]:
    media_type, _, parameters = answer.headers.get("content-type", "").partition(";")
    name, _, boundary = parameters.strip().partition("=")
    if media_type != _MIXED or name != "boundary":
        raise ValueError(f"expected {_MIXED}, got {media_type!r}")
    answers = []
    marker, rest = f"--{boundary}".encode(), answer.content
    while not rest.startswith(marker + b"--"):
        if not rest.startswith(marker):
            raise ValueError("a part is missing or cut off")
        head, _, rest = rest.removeprefix(marker).lstrip(b"\r\n").partition(b"\r\n\r\n")
        headers = _headers(head)
        length = int(headers["content-length"])
        answers.append(_file_answer(headers, rest[:length]))
        rest = rest[length + 2 :]
    if len(answers) != expected:
        raise ValueError(f"expected {expected} parts, got {len(answers)}")
    return answers


def _headers(head: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n"))
    return {name.strip().lower(): value.strip() for name, _, value in lines}


def _file_answer(headers: Mapping[str, str], content: bytes) -> FileAnswer:
    status, faces = int(headers["x-status"]), headers.get("x-faces-found")
    if status != 200:
        return problem_of(status, headers, content)
    return FileTranslation(
        id=headers.get("x-translation-id"),
        media_type=headers["content-type"],
        data=content,
        faces_found=int(faces) if faces is not None else None,
    )
