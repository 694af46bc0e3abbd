"""Read a bundle's manifest: format 2, and format 1 of the first versions."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel, Field, JsonValue, ValidationError

from models.bundle.declarations import Declaration, Figure, HeatMap, Input, Logits, Name, Range
from models.bundle.errors import BundleError
from models.bundle.manifest import (
    CARD,
    DISCRIMINATORS,
    FORMAT,
    KNOWN_FILES,
    MANIFEST,
    REQUIRED_FILES,
    ImageSize,
    Manifest,
    Parity,
    Precision,
    Training,
)
from models.files.text import quoted
from models.storage.file_entry import FileEntry

_FILE_LIMIT_BYTES: Final = (1 << 31) - 1
"""The largest message of protobuf, hence the largest model."""
_CARD_LIMIT_BYTES: Final = 1 << 20

_ANY: Final = Range()
_FACE_DOMAINS: Final = frozenset({"face", "selfie"})
"""Format 1 has no framing. A source domain with such a name is taken for photographed faces."""
_REPLACED: Final = frozenset({"format", "attention", "kid"})
"""Fields of format 1 that format 2 replaces."""

_Model = TypeVar("_Model", bound=BaseModel)


class _AnyFormat(BaseModel):
    format: int


class _Kid(Declaration):
    """A Kernel Inception Distance times 100."""

    value: float
    deviation: float | None = None
    protocol: str


class _Format1(Declaration):
    """A manifest of format 1, whose maps had fixed names."""

    format: Literal[1]
    direction: Name
    source: Name
    target: Name
    image: ImageSize
    method: str
    architecture: dict[str, JsonValue]
    attention: bool
    training: Training
    licence: str
    limits: str
    kid: list[_Kid] = Field(default=[])
    parity: Parity
    precisions: dict[Literal["bfloat16", "float16"], Precision] = Field(default={})
    files: dict[str, FileEntry]


def parse_manifest(data: bytes) -> Manifest:
    """Read `manifest.json`.

    Raises:
        BundleError: it is not a manifest, or its format is one that this version does not read.
    """
    found = _validate(_AnyFormat, data).format
    if found == 1:
        manifest = _upgraded(_validate(_Format1, data))
    elif found == FORMAT:
        manifest = _validate(Manifest, data)
    else:
        raise BundleError(
            f"{MANIFEST} has format {found}; this version reads the formats 1 and {FORMAT}: update ugatit."
        )
    if manifest.direction != f"{manifest.source}2{manifest.target}":
        raise BundleError(
            f"{MANIFEST} has direction {manifest.direction}, expected "
            f"{manifest.source}2{manifest.target} for its source and target."
        )
    _check_files(manifest)
    return manifest


def _validate(model: type[_Model], data: bytes) -> _Model:
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        what = quoted(f"{where}: {first['msg']}")
        raise BundleError(f"{MANIFEST} is not a bundle's manifest: {what}.") from None


def _upgraded(old: _Format1) -> Manifest:
    """Return the manifest in format 2, with the outputs that every bundle of format 1 has."""
    generator, local, global_ = (
        HeatMap(name=name, network=network, kind="relevance", range=_ANY)
        for name, network in (
            ("attention", "generator"),
            ("attention_local", "local"),
            ("attention_global", "global"),
        )
    )
    maps = [generator] if old.attention else []
    maps += [local, global_] if DISCRIMINATORS in old.files else []
    kept: dict[str, Any] = {name: getattr(old, name) for name in _Format1.model_fields.keys() - _REPLACED}
    return Manifest(
        format=FORMAT,
        inputs=[Input(name="pixels", kind="picture")],
        maps=maps,
        logits=[Logits(name="cam_logit")] if old.attention else [],
        framing="face" if old.source in _FACE_DOMAINS else None,
        evaluation=[_figure(kid) for kid in old.kid],
        **kept,
    )


def _figure(kid: _Kid) -> Figure:
    """Return the figure in the unit of format 2, which is not times 100."""
    deviation = None if kid.deviation is None else kid.deviation / 100
    return Figure(metric="kid", protocol=kid.protocol, value=kid.value / 100, subset_std=deviation)


def _check_files(manifest: Manifest) -> None:
    if missing := REQUIRED_FILES - manifest.files.keys():
        raise BundleError(f"{MANIFEST} does not list {', '.join(sorted(missing))}.")
    if unknown := manifest.files.keys() - KNOWN_FILES:
        raise BundleError(f"{MANIFEST} lists files that no bundle has: {quoted(', '.join(sorted(unknown)))}.")
    for name, entry in manifest.files.items():
        limit = _CARD_LIMIT_BYTES if name == CARD else _FILE_LIMIT_BYTES
        if entry.size_bytes > limit:
            raise BundleError(
                f"{MANIFEST} lists {name} with {entry.size_bytes:,} bytes; at most {limit:,} are allowed."
            )
