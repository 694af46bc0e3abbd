"""Shape the sentences that say why a direction does not work."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_QUOTED: Final = re.compile(r"""(['"])/[^'"\n]*?([^/'"\n]*)\1""")
_BARE: Final = re.compile(r"""(?<![\w./\\])/(?:[^\s/'"]+/)+([^\s/'"]*)""")


def without_folders(sentence: str, *folders: Path) -> str:
    """Return the sentence with every absolute path cut to its last part: clients must not see folders.

    Args:
        sentence: for people.
        folders: known folders, whose names may contain spaces.
    """
    known = {str(each) for folder in folders for each in (folder.absolute(), folder.resolve())}
    for folder_text in sorted(known, key=len, reverse=True):
        sentence = sentence.replace(f"{folder_text}/", "")
    sentence = _QUOTED.sub(r"\1\2\1", sentence)
    return _BARE.sub(r"\1", sentence)


def as_clause(message: str) -> str:
    """Return an error's message as part of a sentence: on one line, without a full stop."""
    return " ".join(message.split()).rstrip(".")
