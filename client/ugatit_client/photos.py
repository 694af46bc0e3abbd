"""Read the photo that is sent."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

Photo = bytes | bytearray | memoryview | str | os.PathLike[str] | BinaryIO
"""The bytes of a photo's file, the file's path, or the file, open for reading bytes."""


def photo_bytes(photo: Photo) -> bytes:
    """Return the bytes of a photo's file.

    Raises:
        OSError: the file cannot be read.
    """
    if isinstance(photo, bytes):
        return photo
    if isinstance(photo, (bytearray, memoryview)):
        return bytes(photo)
    if isinstance(photo, (str, os.PathLike)):
        return Path(photo).read_bytes()
    return photo.read()
