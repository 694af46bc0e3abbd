"""Name the answer of a translation by a strong ETag, before the model runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Final

from starlette.requests import Request

_SOURCES: Final = Path(__file__).parents[3]
_LIBRARIES: Final = ("numpy", "pillow")


def _code_version() -> str:
    """Return a hash of the code that makes answers, and of the libraries that frame and encode pictures."""
    digest = hashlib.sha256(repr([metadata.version(name) for name in _LIBRARIES]).encode())
    for package in ("app", "models"):
        for path in sorted((_SOURCES / package).rglob("*.py")):
            digest.update(path.relative_to(_SOURCES).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


_CODE_VERSION: Final = _code_version()


def answer_tag(picture: bytes, model_version: str, choices: Iterable[object]) -> str:
    """Return the ETag of an answer: equal questions to the same model and code have the same one.

    Args:
        picture: the bytes of the photo's file.
        model_version: of the bundle.
        choices: everything else that changes the answer, as options, form and quality.
    """
    digest = hashlib.sha256(repr([_CODE_VERSION, model_version, *choices]).encode())
    digest.update(hashlib.sha256(picture).digest())
    return f'"{digest.hexdigest()[:32]}"'


def client_has(request: Request, tag: str) -> bool:
    """Return whether If-None-Match names the tag; proxies may have made it weak.

    `*` never matches: an answer that nobody has does not exist.
    """
    given = ", ".join(request.headers.getlist("if-none-match"))
    return tag in (each.strip().removeprefix("W/") for each in given.split(","))
