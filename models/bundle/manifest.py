"""The manifest of a bundle, `manifest.json`: facts about the translator, and the hashes of its files."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from models.bundle.errors import BundleError
from models.files.text import quoted
from models.storage import verified_directory
from models.storage.file_entry import FileEntry, Sha256

FORMAT: Final = 1
MANIFEST: Final = verified_directory.MANIFEST
GENERATOR: Final = "generator.onnx"
DISCRIMINATORS: Final = "discriminators.onnx"
CANARY: Final = "canary.npz"
CARD: Final = "card.md"

REQUIRED_FILES: Final = frozenset({GENERATOR, CANARY, CARD})
"""Files of every bundle besides its manifest."""

KNOWN_FILES: Final = REQUIRED_FILES | {DISCRIMINATORS}
"""All files that a bundle may hold besides its manifest."""

DIRECTION = re.compile(r"(?P<source>[a-z][a-z0-9_-]*?)2(?P<target>[a-z][a-z0-9_-]*)")

_FILE_LIMIT_BYTES: Final = (1 << 31) - 1
"""The largest message of protobuf, hence the largest model."""
_CARD_LIMIT_BYTES: Final = 1 << 20

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=64)]


class _Part(BaseModel):
    # JSON has no NaN and no infinity, so HTTP could not send them on.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ImageSize(_Part):
    """The size that a network was trained at, and whether it takes only that size."""

    height: int = Field(ge=4, le=16_384, multiple_of=4)
    width: int = Field(ge=4, le=16_384, multiple_of=4)
    fixed: bool


class Training(_Part):
    """Where the weights come from; a fact that was not recorded is null."""

    steps: int | None = Field(default=None, ge=0)
    data: str | None = None
    config_sha256: Sha256 | None = None
    code_version: str
    checkpoint_sha256: Sha256 | None = None


class Kid(_Part):
    """A Kernel Inception Distance times 100; only values of one protocol can be compared."""

    value: float
    deviation: float | None = None
    protocol: str


class Parity(_Part):
    """The largest differences between torch in float64 and the exported graph, measured before writing."""

    reference: str
    runtime: str
    vectors: str
    image_max_levels: int = Field(ge=0)
    """Largest difference of an image value, in levels of 255."""
    image_equal: float = Field(ge=0, le=1)
    """The fraction of image values that agree exactly."""
    cam_logit_relative: float | None = Field(default=None, ge=0)
    attention_relative: float | None = Field(default=None, ge=0)
    discriminators_relative: float | None = Field(default=None, ge=0)


class Precision(_Part):
    """The difference of the image in a lower precision from torch's in float64, for the canary's picture."""

    psnr_db: float | None
    """Peak signal-to-noise ratio; null if the images are equal."""
    image_max_levels: int = Field(ge=0)
    """Largest difference of an image value, in levels of 255."""
    runtime: str


class Manifest(_Part):
    """The facts about one translator, and the sizes and hashes of its files."""

    format: int
    direction: Name
    source: Name
    target: Name
    image: ImageSize
    method: str
    architecture: dict[str, JsonValue]
    attention: bool
    """Whether the generator returns `cam_logit` and `attention`."""
    training: Training
    licence: str
    limits: str
    kid: list[Kid] = []
    parity: Parity
    precisions: dict[Literal["bfloat16", "float16"], Precision] = {}
    """Measurements of lower precisions; the model itself is in float32."""
    files: dict[str, FileEntry]

    @property
    def discriminators(self) -> bool:
        """Whether the bundle can show the discriminators' attention."""
        return DISCRIMINATORS in self.files

    def to_bytes(self) -> bytes:
        """Return the exact bytes of `manifest.json`, whose hash is the model's version."""
        return (self.model_dump_json(indent=1) + "\n").encode()


def version_of(manifest_bytes: bytes) -> str:
    """Return the model version: the first 12 hex digits of the manifest's sha256."""
    return hashlib.sha256(manifest_bytes).hexdigest()[:12]


def parse_manifest(data: bytes) -> Manifest:
    """Read `manifest.json`.

    Raises:
        BundleError: it is not a manifest, or its format is one that this version does not read.
    """
    try:
        manifest = Manifest.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        what = quoted(f"{where}: {first['msg']}")
        raise BundleError(f"{MANIFEST} is not a bundle's manifest: {what}.") from None
    if manifest.format != FORMAT:
        raise BundleError(f"{MANIFEST} has format {manifest.format}; this version reads format {FORMAT}.")
    if manifest.direction != f"{manifest.source}2{manifest.target}":
        raise BundleError(
            f"{MANIFEST} has direction {manifest.direction}, expected "
            f"{manifest.source}2{manifest.target} for its source and target."
        )
    _check_files(manifest)
    return manifest


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


def split_direction(direction: str) -> tuple[str, str]:
    """Return the source and the target domain of a direction such as `selfie2anime`.

    Raises:
        BundleError: the name is not of the form SOURCE2TARGET.
    """
    match = DIRECTION.fullmatch(direction)
    if match is None:
        raise BundleError(
            f"A direction has the form SOURCE2TARGET in lower case, such as selfie2anime; got {direction!r}."
        )
    return match["source"], match["target"]
