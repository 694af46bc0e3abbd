"""A way to a file for libraries that take only names in UTF-8."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def utf8_path(path: Path) -> Iterator[str]:
    """Yield a path in UTF-8 that leads to an existing file or folder while the block runs.

    Names that are not UTF-8 exist on Linux only, where what a process has open has a second path.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        handle = os.open(path, os.O_RDONLY)
        try:
            yield f"/proc/self/fd/{handle}"
        finally:
            os.close(handle)
    else:
        yield str(path)
