"""Stream the answers of a batch as multipart/mixed or as a zip archive, one file after the other."""

from __future__ import annotations

import io
import re
import secrets
import zipfile
from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from starlette.responses import Response

from app.http.messages.answers import MIXED
from app.http.problems.problems import PROBLEM_TYPE

ZIP: Final = "application/zip"
_EXTENSIONS: Final = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    PROBLEM_TYPE: "problem.json",
}
_KEPT_HEADERS: Final = ("X-Translation-Id", "Link", "X-Faces-Found", "Retry-After")
_NAME_CHARACTERS: Final = 80


class FileAnswer(NamedTuple):
    """The answer of one file of a batch: a picture, or a problem."""

    number: int
    """1 is the first."""
    name: str
    """Of the file that was sent."""
    response: Response

    @property
    def media_type(self) -> str:
        """The type of the content, without parameters."""
        return self.response.headers["content-type"].partition(";")[0]

    @property
    def file_name(self) -> str:
        """A name that begins with the number, unique in its batch and safe in every folder."""
        stem = re.sub(r"[^\w.-]+", "_", self.name.rpartition(".")[0] or self.name).strip("._")
        return f"{self.number:03}-{stem[:_NAME_CHARACTERS] or 'photo'}.{_EXTENSIONS[self.media_type]}"


async def stream_mixed(answers: AsyncIterator[FileAnswer], boundary: str) -> AsyncIterator[bytes]:
    """Yield the parts of a multipart/mixed body."""
    async for answer in answers:
        kept = {key: answer.response.headers.get(key) for key in _KEPT_HEADERS}
        name = _ascii(answer.file_name)
        headers = {
            "Content-Type": answer.media_type,
            "Content-Disposition": f'attachment; name="{answer.number}"; filename="{name}"',
            "Content-Length": str(len(answer.response.body)),
            "X-Status": str(answer.response.status_code),
        } | {key: value for key, value in kept.items() if value is not None}
        head = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
        yield f"--{boundary}\r\n{head}\r\n".encode() + bytes(answer.response.body) + b"\r\n"
    yield f"--{boundary}--\r\n".encode()


async def stream_zip(answers: AsyncIterator[FileAnswer]) -> AsyncIterator[bytes]:
    """Yield a zip archive; its files are stored, because pictures are compressed already."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        async for answer in answers:
            archive.writestr(answer.file_name, bytes(answer.response.body))
            yield sink.take()
    yield sink.take()


def new_boundary() -> str:
    """Return a boundary that no picture holds."""
    return secrets.token_hex(16)


def media_type_of(form: str, boundary: str) -> str:
    """Return the Content-Type of a batch's answer."""
    return f"{MIXED}; boundary={boundary}" if form == MIXED else form


def _ascii(name: str) -> str:
    return name.encode("ascii", "replace").decode().replace("?", "_")


class _Sink(io.RawIOBase):
    """Keeps what is written until it is taken; it cannot seek, so the archive is written forwards."""

    def __init__(self) -> None:
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._written += data
        return len(data)

    def take(self) -> bytes:
        """Remove and return what was written."""
        taken, self._written = bytes(self._written), bytearray()
        return taken
