"""API keys, stored as hashes in a file with one line per key."""

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


class ApiKeys:
    """The accepted API keys. A client may have several keys, for example its old and its new one."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            SettingsError: the file cannot be read, has an invalid line, or has no key.
        """
        self._path = path
        self._hashes = _read(path)

    def reload(self) -> None:
        """Read the file again; keep the previous keys if it is invalid."""
        try:
            self._hashes = _read(self._path)
        except SettingsError as error:
            log.error("API keys not reloaded, the previous ones stay valid: %s", error)
        else:
            log.info("API keys reloaded: %d keys", len(self._hashes))

    def client_of_key(self, key: str) -> str | None:
        """Return the name of a key's client, or None. All hashes are compared, each in constant time."""
        given, client = hash_of(key), None
        for name, known in self._hashes:
            if hmac.compare_digest(given, known):
                client = name
        return client


def new_key() -> str:
    """Return a new random key. It cannot be guessed, so an unsalted hash of it is safe to store."""
    return "ugatit_" + secrets.token_urlsafe(_RANDOM_BYTES)


def key_line(name: str, key: str) -> str:
    """Return the line of a key for the file.

    Raises:
        SettingsError: the name has characters other than letters, digits, dots, dashes and underscores.
    """
    if not re.fullmatch(_NAME, name):
        raise SettingsError(
            f"A key's name must have 1 to 64 letters, digits, dots, dashes or underscores and start with a "
            f"letter or digit, got {name!r}."
        )
    return f"{name}:{hash_of(key)}"


def hash_of(key: str) -> str:
    """Return the SHA-256 of a key in hex."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def key_from(headers: Headers) -> str | None:
    """Return the key in `Authorization: Bearer KEY` or `X-Api-Key: KEY`, or None."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    return headers.get("x-api-key")


def _read(path: Path) -> list[tuple[str, str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise SettingsError(
            f"UGATIT_API_KEYS_FILE={path} cannot be read ({reason}); `ugatit key NAME` makes its lines."
        ) from None
    hashes = [_parse(path, number, line.strip()) for number, line in enumerate(lines, 1) if _has_key(line)]
    if not hashes:
        raise SettingsError(
            f"UGATIT_API_KEYS_FILE={path} must contain at least one key, got none; "
            "`ugatit key NAME` makes its lines."
        )
    return hashes


def _has_key(line: str) -> bool:
    """Return whether a line is neither empty nor a comment."""
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _parse(path: Path, number: int, line: str) -> tuple[str, str]:
    match = _LINE.fullmatch(line)
    if match is None:  # the message does not repeat the line, which may be a key written there by mistake
        raise SettingsError(
            f"{path}, line {number} must be NAME:SHA256 (64 hex digits); `ugatit key NAME` makes such lines."
        )
    return match[1], match[2]
