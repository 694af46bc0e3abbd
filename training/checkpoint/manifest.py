"""What a checkpoint says about itself: `manifest.json`, which vouches for every byte, its own too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from training.checkpoint.errors import CheckpointError

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
SCALARS: Final = "state.json"
TENSORS_ENDING: Final = ".safetensors"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(pattern=r"^([a-z][a-z0-9_-]*\.safetensors|state\.json)$")]


class FileEntry(BaseModel):
    """One file of the checkpoint, as it must be found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: Sha256
    size_bytes: int = Field(ge=0)


class Manifest(BaseModel):
    """The step, the files, and how good the checkpoint is."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: int
    step: int = Field(ge=0)
    score: float | None
    """Lower is better; null where nobody judged."""
    files: dict[FileName, FileEntry]

    @property
    def digest(self) -> str:
        """The sha256 of the whole state, however it was judged."""
        return state_digest(self.step, self.files)

    def to_bytes(self) -> bytes:
        """The exact bytes of `manifest.json`; the last field is the sha256 of all the others."""
        facts = self.model_dump()
        return (json.dumps({**facts, "sha256": _sha256_of(facts)}, indent=1) + "\n").encode()


def state_digest(step: int, files: Mapping[str, FileEntry]) -> str:
    """The sha256 of a state: of its step and of every file that holds it."""
    return _sha256_of({"step": step, "files": {name: each.sha256 for name, each in sorted(files.items())}})


def _sha256_of(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def parse_manifest(data: bytes) -> Manifest:
    """Read `manifest.json`.

    Raises:
        CheckpointError: it is not byte for byte what was written, or of a format this version does not read.
    """
    damaged = CheckpointError(f"its {MANIFEST} is damaged")
    try:
        facts = json.loads(data)
    except ValueError:
        raise damaged from None
    if not isinstance(facts, dict):
        raise damaged
    if facts.get("format", FORMAT) != FORMAT:
        raise CheckpointError(f"its format is {facts['format']} and this version reads {FORMAT}")
    try:
        manifest = Manifest.model_validate({name: fact for name, fact in facts.items() if name != "sha256"})
    except ValidationError:
        raise damaged from None
    # No flipped bit of a step, a size or a score may pass for what was meant.
    if manifest.to_bytes() != data:
        raise damaged
    return manifest
