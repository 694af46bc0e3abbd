"""API keys: known by their hashes, from a file with a line for each."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers

from app.settings.settings import SettingsError

_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_LINE: Final = re.compile(rf"({_NAME}):([0-9a-f]{{64}})")
_RANDOM_BYTES: Final = 32

log = logging.getLogger("ugatit.http")


class Keys:
    """Who may ask. A name may have several lines: its old key and its new one, say."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            SettingsError: it cannot be read, has a bad line, or no key at all.
        """
        self._path = path
        self._known = _read(path)

    def reload(self) -> None:
        """Read the file again; if it is bad, the keys from before go on being the ones."""
        try:
            self._known = _read(self._path)
        except SettingsError as error:
            log.error("The keys stay as they were: %s", error)
        else:
            log.info("There are %d keys now", len(self._known))

    def name_of(self, key: str) -> str | None:
        """Whose key it is, found in a time that tells nothing about the others."""
        given, found = hash_of(key), None
        for name, known in self._known:
            if hmac.compare_digest(given, known):
                found = name
        return found


def new_key() -> str:
    """A key that cannot be guessed, which is why a plain hash of it is enough."""
    return "ugatit_" + secrets.token_urlsafe(_RANDOM_BYTES)


def line_of(name: str, key: str) -> str:
    """The line of a key for the file.

    Raises:
        SettingsError: the name has other characters than letters, digits, dots, dashes and underscores.
    """
    if not re.fullmatch(_NAME, name):
        raise SettingsError(f"{name!r} is no name for a key; use up to 64 letters, digits, dots and dashes.")
    return f"{name}:{hash_of(key)}"


def hash_of(key: str) -> str:
    """The sha256 of a key, in hex."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def key_in(headers: Headers) -> str | None:
    """The key that a request brings, if any: `Authorization: Bearer KEY`, or `X-Api-Key: KEY`."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    return headers.get("x-api-key")


def _read(path: Path) -> list[tuple[str, str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no text"
        raise SettingsError(f"UGATIT_API_KEYS_FILE={path} cannot be read: {reason}.") from None
    known = [_parse(path, number, line.strip()) for number, line in enumerate(lines, 1) if _says(line)]
    if not known:
        raise SettingsError(f"UGATIT_API_KEYS_FILE={path} holds no key; `ugatit key NAME` makes its lines.")
    return known


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _parse(path: Path, number: int, line: str) -> tuple[str, str]:
    match = _LINE.fullmatch(line)
    if match is None:  # the line itself is not repeated: it may be a key that was put there by mistake
        raise SettingsError(
            f"{path}, line {number} is not NAME:SHA256 (64 hex digits); `ugatit key NAME` makes such lines."
        )
    return match[1], match[2]
