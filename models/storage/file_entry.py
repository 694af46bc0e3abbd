"""The size and hash of a file, as a manifest lists them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Chunk = bytes | memoryview
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class FileEntry(BaseModel):
    """The size and hash that a file must have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: Sha256
    size_bytes: int = Field(ge=0)


def entry_of_chunks(chunks: Iterable[Chunk]) -> FileEntry:
    """Return the entry of a file whose content is these chunks, taking one at a time."""
    sha256, size = hashlib.sha256(), 0
    for chunk in chunks:
        sha256.update(chunk)
        size += len(chunk)
    return FileEntry(sha256=sha256.hexdigest(), size_bytes=size)


def entry_of(data: bytes) -> FileEntry:
    """Return the entry of a file whose content is `data`."""
    return entry_of_chunks([data])
