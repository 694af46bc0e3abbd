"""Name the answer of a translation by a strong ETag, before the model runs."""

from __future__ import annotations

import asyncio
import hashlib
from importlib import metadata
from pathlib import Path
from typing import Final, NamedTuple, Self

from starlette.requests import Request

from app.http.messages.multipart import SentPhoto

_SOURCES: Final = Path(__file__).parents[3]
_LIBRARIES: Final = ("numpy", "pillow", "onnxruntime", "onnxruntime-gpu", "onnxruntime-ep-openvino")
_SMALL_BYTES: Final = 256 * 1024
"""A photo of this size is hashed in the event loop: the way to a thread and back would take longer."""


def _code_version() -> str:
    """Return a hash of the code that makes answers, and of the libraries that run models and encode pictures.

    A library that is not installed counts too: it may be the one that another replica runs models with.
    """
    digest = hashlib.sha256(repr([_version_of(name) for name in _LIBRARIES]).encode())
    for package in ("app", "models"):
        for path in sorted((_SOURCES / package).rglob("*.py")):
            digest.update(path.relative_to(_SOURCES).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _version_of(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


_CODE_VERSION: Final = _code_version()


class Question(NamedTuple):
    """A photo, and everything else that changes its answer besides model and code."""

    photo: bytes
    """The hash of its file and of its reference's."""
    choices: str
    """Options, form and quality."""

    @classmethod
    async def of(cls, photo: SentPhoto, *choices: object) -> Self:
        """Return the question about a photo's file. A large one is hashed in a thread: 20 MB take 20 ms."""
        small = sum(len(each) for each in photo if each is not None) <= _SMALL_BYTES
        photo_hash = _hash_of(photo) if small else await asyncio.to_thread(_hash_of, photo)
        return cls(photo_hash, repr(choices))

    def tag(self, model_as_run: str) -> str:
        """Return the ETag of the answer by a bundle as it runs: equal questions have the same one."""
        digest = hashlib.sha256(repr((_CODE_VERSION, model_as_run, self.choices)).encode())
        digest.update(self.photo)
        return f'"{digest.hexdigest()[:32]}"'


def _hash_of(photo: SentPhoto) -> bytes:
    return b"".join(hashlib.sha256(each).digest() for each in photo if each is not None)


def client_has(request: Request, tag: str) -> bool:
    """Return whether If-None-Match names the tag; proxies may have made it weak.

    `*` never matches: without a tag there is no answer to confirm.
    """
    given = ", ".join(request.headers.getlist("if-none-match"))
    return tag in (each.strip().removeprefix("W/") for each in given.split(","))
