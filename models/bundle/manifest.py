"""The manifest of a bundle, `manifest.json`: facts about the translator, and the hashes of its files."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Final, Literal, Self

from pydantic import Field, JsonValue, model_validator

from models.bundle.declarations import (
    PARTS,
    Declaration,
    Figure,
    FramedFace,
    Framing,
    HeatMap,
    Input,
    Logits,
    Name,
    Network,
    Part,
    StyleInput,
)
from models.bundle.errors import BundleError
from models.storage import verified_directory
from models.storage.file_entry import FileEntry, Sha256

FORMAT: Final = 2
"""The format that is written. Format 1 is read too; see `models.bundle.parse`."""
MANIFEST: Final = verified_directory.MANIFEST
GENERATOR: Final = "generator.onnx"
DISCRIMINATORS: Final = "discriminators.onnx"
STYLE_ENCODER: Final = "style_encoder.onnx"
CANARY: Final = "canary.npz"
CARD: Final = "card.md"

REQUIRED_FILES: Final = frozenset({GENERATOR, CANARY, CARD})
"""Files of every bundle besides its manifest."""

KNOWN_FILES: Final = REQUIRED_FILES | {DISCRIMINATORS, STYLE_ENCODER}
"""All files that a bundle may hold besides its manifest."""

DIRECTION = re.compile(r"(?P<source>[a-z][a-z0-9_-]*?)2(?P<target>[a-z][a-z0-9_-]*)")


class ImageSize(Declaration):
    """The size that a network was trained at, and whether it takes only that size."""

    height: int = Field(ge=4, le=16_384, multiple_of=4)
    width: int = Field(ge=4, le=16_384, multiple_of=4)
    fixed: bool


class Training(Declaration):
    """Where the weights come from; a fact that was not recorded is null."""

    steps: int | None = Field(default=None, ge=0)
    data: str | None = None
    config_sha256: Sha256 | None = None
    code_version: str
    checkpoint_sha256: Sha256 | None = None


class Parity(Declaration):
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


class Precision(Declaration):
    """The difference of the image in a lower precision from torch's in float64, for the canary's picture."""

    psnr_db: float | None
    """Peak signal-to-noise ratio; null if the images are equal."""
    image_max_levels: int = Field(ge=0)
    """Largest difference of an image value, in levels of 255."""
    runtime: str


class Manifest(Declaration):
    """The facts about one translator, and the sizes and hashes of its files."""

    format: int
    direction: Name
    source: Name
    target: Name
    image: ImageSize
    method: str
    architecture: dict[str, JsonValue]
    inputs: list[Annotated[Input | StyleInput, Field(discriminator="kind")]] = Field(
        min_length=1, max_length=2
    )
    """The picture, and the style codes of a translator that takes them."""
    maps: list[HeatMap] = Field(max_length=16)
    """The heat maps that the networks return."""
    logits: list[Logits] = Field(max_length=1)
    """What the generator's classifiers return."""
    framing: Framing | None = None
    """Of the source domain; null if it was not recorded."""
    face: FramedFace | None = Field(default=None, exclude_if=lambda face: face is None)
    """How a face is framed; absent if it was not measured, as in bundles of earlier versions."""
    training: Training
    licence: str
    limits: str
    evaluation: list[Figure] = Field(default=[])
    parity: Parity
    precisions: dict[Literal["bfloat16", "float16"], Precision] = Field(default={})
    """Measurements of lower precisions; the model itself is in float32."""
    files: dict[str, FileEntry]

    @model_validator(mode="after")
    def _check_inputs(self) -> Self:
        if [each.kind for each in self.inputs] not in (["picture"], ["picture", "style"]):
            raise ValueError("the inputs are one picture, and after it at most one style")
        if self.reference and self.style is None:
            raise ValueError(f"the file {STYLE_ENCODER} needs a style among the inputs")
        return self

    @model_validator(mode="after")
    def _check_maps(self) -> Self:
        maps = [(each.network, each.part) for each in self.maps]
        outputs = ["image", *(each.name for each in self.logits), *(each.name for each in self.maps)]
        if len(set(maps)) < len(maps) or len(set(outputs)) < len(outputs):
            raise ValueError("each output has a name of its own, and each map a network and part of its own")
        if not self.discriminators and any(each.network != "generator" for each in self.maps):
            raise ValueError(f"maps of discriminators need the file {DISCRIMINATORS}")
        return self

    @property
    def style(self) -> StyleInput | None:
        """The style codes that the generator takes; None if it takes only pictures."""
        return next((each for each in self.inputs if isinstance(each, StyleInput)), None)

    @property
    def reference(self) -> bool:
        """Whether the bundle can encode the style of a reference, a picture of the target domain."""
        return STYLE_ENCODER in self.files

    @property
    def attention(self) -> bool:
        """Whether the generator returns a heat map."""
        return bool(self.maps_of("generator"))

    def maps_of(self, *networks: Network) -> list[HeatMap]:
        """Return the heat maps of these networks, in the manifest's order."""
        return [each for each in self.maps if each.network in networks]

    @property
    def missing_parts(self) -> list[Part]:
        """The parts that an earlier format's heat maps lack; empty for networks without classifiers."""
        maps = {(each.network, each.part) for each in self.maps if self.logits and each.kind == "relevance"}
        networks = {network for network, _ in maps}
        return [part for part in PARTS if any((network, part) not in maps for network in networks)]

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
