"""The hashes of a run's training pictures, from which `resume` finds the pictures that differ.

The file has the format of `sha256sum`: `cd DATA && sha256sum --check RUN/pictures.sha256` checks it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from models.files.text import as_text
from training.console.phrases import shorten_list

Digests = Mapping[str, str]
"""Paths below the data set's folder, and the sha256 of each file as 64 hex digits."""


class Differences(NamedTuple):
    """How the pictures of two data sets differ, as paths below their folders."""

    missing: list[str]
    """Of the first set only, or no longer readable."""
    new: list[str]
    changed: list[str]

    def __str__(self) -> str:
        kinds = {"missing or unreadable": self.missing, "new": self.new, "changed": self.changed}
        return "; ".join(
            f"{len(names):,} {kind} ({shorten_list([as_text(name) for name in names], most=10)})"
            for kind, names in kinds.items()
            if names
        )


def differences(before: Digests, now: Digests) -> Differences:
    """Return the pictures that are missing, new or changed in `now`, compared with `before`."""
    return Differences(
        missing=sorted(before.keys() - now.keys()),
        new=sorted(now.keys() - before.keys()),
        changed=sorted(name for name in before.keys() & now.keys() if before[name] != now[name]),
    )


def encode(digests: Digests) -> bytes:
    """Return the digests in the format of `sha256sum`, which escapes backslashes and line ends in names."""
    return b"".join(_line(os.fsencode(name), digest) for name, digest in digests.items())


def _line(name: bytes, digest: str) -> bytes:
    escaped = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    mark = b"\\" if escaped != name else b""
    return mark + digest.encode() + b"  " + escaped + b"\n"


def decode(lines: bytes) -> Digests:
    """Return the digests from bytes that `encode` returned.

    Raises:
        ValueError: a line has another format.
    """
    digests = {}
    for line in lines.split(b"\n")[:-1]:
        digest, separator, name = line.removeprefix(b"\\").partition(b"  ")
        if not separator or len(digest) != 64:
            raise ValueError(f"not a line of sha256sum: {line!r}")
        if line.startswith(b"\\"):
            name = _unescaped(name)
        digests[os.fsdecode(name)] = digest.decode("ascii")
    return digests


def _unescaped(name: bytes) -> bytes:
    parts = name.split(b"\\\\")
    return b"\\".join(part.replace(b"\\n", b"\n").replace(b"\\r", b"\r") for part in parts)
