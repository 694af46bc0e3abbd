"""Cut folders out of sentences that are shown to strangers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_QUOTED: Final = re.compile(r"""(['"])/[^'"\n]*?([^/'"\n]*)\1""")
_BARE: Final = re.compile(r"""(?<![\w./\\])/(?:[^\s/'"]+/)+([^\s/'"]*)""")


def without_folders(sentence: str, *folders: Path) -> str:
    """Return the sentence with every absolute path cut to its last part.

    Args:
        sentence: for people.
        folders: known ones, which may have spaces in their names.
    """
    known = {str(each) for folder in folders for each in (folder.absolute(), folder.resolve())}
    for folder_text in sorted(known, key=len, reverse=True):
        sentence = sentence.replace(f"{folder_text}/", "")
    sentence = _QUOTED.sub(r"\1\2\1", sentence)
    return _BARE.sub(r"\1", sentence)
