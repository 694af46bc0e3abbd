"""What a checkpoint holds, in memory: tensors by group, and JSON for the rest."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from pydantic import JsonValue
from torch import Tensor

from training.checkpoint.manifest import SCALARS, TENSORS_ENDING, FileEntry, state_digest
from training.checkpoint.tensors import encode

_GROUP: Final = re.compile(r"[a-z][a-z0-9_-]*")
_SEPARATOR: Final = "/"


class Checkpoint(NamedTuple):
    """All that training needs to go on exactly. It knows no method: names are the caller's."""

    step: int
    tensors: dict[str, dict[str, Tensor]]
    """By group ("networks", "random"), then by name; a group becomes one file, `GROUP.safetensors`."""
    scalars: dict[str, JsonValue]
    """Becomes `state.json`; numbers are finite, and floats come back bit for bit."""


class Packed(NamedTuple):
    """One object as a checkpoint's content: its tensors, and JSON for the rest."""

    tensors: dict[str, Tensor]
    scalars: dict[str, JsonValue]


def join_groups(parts: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Put several objects' tensors into one group: `{"genA2B": {"w": t}}` becomes `{"genA2B/w": t}`."""
    assert not any(_SEPARATOR in part for part in parts), f"a part's name holds {_SEPARATOR!r}: {list(parts)}"
    return {
        f"{part}{_SEPARATOR}{name}": tensor for part, each in parts.items() for name, tensor in each.items()
    }


def split_group(group: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    """Take one object's tensors out of a group again; empty if the group has nothing of it."""
    prefix = part + _SEPARATOR
    return {name.removeprefix(prefix): tensor for name, tensor in group.items() if name.startswith(prefix)}


def encode_scalars(scalars: dict[str, JsonValue]) -> bytes:
    """The bytes of `state.json`: equal scalars give equal bytes.

    Raises:
        ValueError: a number is not finite, which JSON cannot say.
    """
    text = json.dumps(scalars, indent=1, sort_keys=True, allow_nan=False)
    # Tuples and integer keys would come back as something else, without a word.
    assert json.loads(text) == scalars, "the scalars are not plain JSON: a tuple, or a key that is no string"
    return (text + "\n").encode()


def files_of(checkpoint: Checkpoint) -> Iterator[tuple[str, Iterable[bytes | memoryview]]]:
    """The files of a checkpoint by name, their bytes in chunks; equal states give equal bytes."""
    for group, tensors in sorted(checkpoint.tensors.items()):
        assert _GROUP.fullmatch(group), f"{group!r} cannot name a file"
        yield group + TENSORS_ENDING, encode(tensors)
    yield SCALARS, [encode_scalars(checkpoint.scalars)]


def digest(checkpoint: Checkpoint) -> str:
    """The sha256 of a whole state, 64 hex digits: equal if and only if step, tensors and scalars are."""
    return state_digest(checkpoint.step, {name: _entry_of(chunks) for name, chunks in files_of(checkpoint)})


def _entry_of(chunks: Iterable[bytes | memoryview]) -> FileEntry:
    sha256, size = hashlib.sha256(), 0
    for chunk in chunks:
        sha256.update(chunk)
        size += len(chunk)
    return FileEntry(sha256=sha256.hexdigest(), size_bytes=size)
