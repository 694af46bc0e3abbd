"""File names and other foreign text, of any bytes, as text that can be shown."""

from __future__ import annotations

import codecs
import io
import sys
from pathlib import Path
from typing import Final

ESCAPED: Final = "ugatit.escaped"
"""An error handler for encoders: characters that the encoding lacks are written as escapes."""

_CONTROLS: Final = {
    number: ascii(chr(number))[1:-1] for number in (*range(32), *range(127, 160), 0x2028, 0x2029)
}
"""Characters that would break a line or control a terminal."""

_MAX_QUOTED: Final = 300


def as_text(name: str | Path) -> str:
    r"""Return a name or path as one line that every UTF-8 file, JSON document and terminal can hold.

    A byte that is not UTF-8 becomes an escape such as `\xe9`, and so does a control character.
    """
    return encodable(str(name)).translate(_CONTROLS)


def encodable(text: str) -> str:
    """Return a text, of any number of lines, with escapes for what UTF-8 cannot encode."""
    return text.encode("utf-8", ESCAPED).decode()


def quoted(text: str) -> str:
    """Return foreign text as one printable line of at most 300 characters, for a message."""
    plain = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text[:_MAX_QUOTED])
    return plain + "…" * (len(text) > _MAX_QUOTED)


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8, whatever the locale; names inside may be of any bytes."""
    path.write_text(text, encoding="utf-8", errors=ESCAPED)


def escape_output() -> None:
    """Make stdout and stderr escape what their encoding lacks, so that no name ends a command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ESCAPED)


def _escape(error: UnicodeError) -> tuple[bytes, int]:
    """Return an escape for what could not be encoded, and the position to continue at.

    Python keeps the bytes of a name that it could not decode as lone surrogates. Under an ASCII locale these
    are the bytes of proper UTF-8 text, which is restored here.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    piece = error.object[error.start : error.end]
    text = piece.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return text.encode(error.encoding, "backslashreplace"), error.end


codecs.register_error(ESCAPED, _escape)
