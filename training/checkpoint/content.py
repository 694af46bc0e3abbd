"""The content of a checkpoint, in memory: tensors by group, and JSON for the rest."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from pydantic import JsonValue
from torch import Tensor

from models.storage.file_entry import Chunk, entry_of_chunks
from training.checkpoint.manifest import SCALARS, TENSORS_ENDING, state_digest
from training.checkpoint.tensors import encode

_GROUP: Final = re.compile(r"[a-z][a-z0-9_-]*")
_SEPARATOR: Final = "/"


class Checkpoint(NamedTuple):
    """The state that training resumes from exactly. The caller, a method, chooses the names."""

    step: int
    tensors: dict[str, dict[str, Tensor]]
    """By group ("networks", "random"), then by name; each group becomes a file `GROUP.safetensors`."""
    scalars: dict[str, JsonValue]
    """Becomes `state.json`; numbers must be finite, and floats are restored bit for bit."""


class Packed(NamedTuple):
    """The state of one object as a checkpoint's content: its tensors, and JSON for the rest."""

    tensors: dict[str, Tensor]
    scalars: dict[str, JsonValue]


def join_groups(parts: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return several objects' tensors as one group: `{"genA2B": {"w": t}}` becomes `{"genA2B/w": t}`."""
    assert not any(_SEPARATOR in part for part in parts), (
        f"a part has {_SEPARATOR!r} in its name: {list(parts)}"
    )
    return {
        f"{part}{_SEPARATOR}{name}": tensor for part, each in parts.items() for name, tensor in each.items()
    }


def split_group(group: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    """Return one object's tensors of a group that `join_groups` made; empty if it has none."""
    prefix = part + _SEPARATOR
    return {name.removeprefix(prefix): tensor for name, tensor in group.items() if name.startswith(prefix)}


def encode_scalars(scalars: dict[str, JsonValue]) -> bytes:
    """Return the bytes of `state.json`; equal scalars give equal bytes.

    Raises:
        ValueError: a number is not finite, which JSON cannot express.
    """
    text = json.dumps(scalars, indent=1, sort_keys=True, allow_nan=False)
    # JSON would silently turn tuples into lists and integer keys into strings.
    assert json.loads(text) == scalars, "not plain JSON: a tuple, or a key that is not a string"
    return (text + "\n").encode()


def files_of(checkpoint: Checkpoint) -> Iterator[tuple[str, Iterable[Chunk]]]:
    """Yield the name and the chunks of every file of a checkpoint; equal states give equal bytes."""
    for group, tensors in sorted(checkpoint.tensors.items()):
        assert _GROUP.fullmatch(group), f"{group!r} cannot be the name of a file"
        yield group + TENSORS_ENDING, encode(tensors)
    yield SCALARS, [encode_scalars(checkpoint.scalars)]


def digest(checkpoint: Checkpoint) -> str:
    """Return the sha256 of a whole state; it is equal if and only if step, tensors and scalars are."""
    files = {name: entry_of_chunks(chunks) for name, chunks in files_of(checkpoint)}
    return state_digest(checkpoint.step, files)
