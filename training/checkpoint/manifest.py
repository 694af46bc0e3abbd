"""The manifest of a checkpoint, `manifest.json`: it holds a hash of every file and of itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.storage import verified_directory
from models.storage.file_entry import FileEntry
from training.checkpoint.errors import CheckpointError

FORMAT: Final = 1
MANIFEST: Final = verified_directory.MANIFEST
SCALARS: Final = "state.json"
TENSORS_ENDING: Final = ".safetensors"

FileName = Annotated[str, Field(pattern=r"^([a-z][a-z0-9_-]*\.safetensors|state\.json)$")]


class CheckpointFigure(BaseModel):
    """The figure of an evaluation that ranks a checkpoint, with all that it depends on."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    value: float
    """Lower is better."""
    metric: str
    """Such as `kid-lite`, the mean over both directions."""
    protocol: str
    extractor: str
    extractor_sha256: str
    data: str
    """Fingerprint of the test pictures."""

    @property
    def kind(self) -> tuple[str, ...]:
        """Return what must be equal in two figures that are compared."""
        return self.metric, self.protocol, self.extractor, self.extractor_sha256, self.data


class Manifest(BaseModel):
    """The step, the scores and the files of a checkpoint."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: int
    step: int = Field(ge=0)
    score: float | None
    """The method's score, lower is better; null if the checkpoint was not scored."""
    files: dict[FileName, FileEntry]
    figure: CheckpointFigure | None = None
    """The figure of its evaluation; a checkpoint that was not evaluated has no such field."""

    @property
    def digest(self) -> str:
        """The sha256 of the whole state, without the scores."""
        return state_digest(self.step, self.files)

    def to_bytes(self) -> bytes:
        """Return the exact bytes of `manifest.json`; the last field is the sha256 of all the others."""
        facts = self.model_dump(exclude={"figure"} if self.figure is None else None)
        return (json.dumps({**facts, "sha256": _sha256_of(facts)}, indent=1) + "\n").encode()


def state_digest(step: int, files: Mapping[str, FileEntry]) -> str:
    """Return the sha256 of a state: of its step and the hashes of its files."""
    return _sha256_of({"step": step, "files": {name: each.sha256 for name, each in sorted(files.items())}})


def _sha256_of(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def parse_manifest(data: bytes) -> Manifest:
    """Read `manifest.json`.

    Raises:
        CheckpointError: its bytes were changed, or its format is one that this version does not read.
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
    # Compare the bytes too, so that a flipped bit in a step, a size or a score is found.
    if manifest.to_bytes() != data:
        raise damaged
    return manifest
