"""The answers of the service as dataclasses. Fields that a later service adds are ignored."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class PictureFile:
    """A picture as a file."""

    media_type: str
    data: bytes
    """The bytes of the file."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file."""
        Path(path).write_bytes(self.data)


@dataclass(frozen=True, kw_only=True)
class Picture(PictureFile):
    """An encoded picture."""

    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class HeatMap(PictureFile):
    """A heat map as a picture."""

    low: float
    """The value of the lowest colour."""
    high: float
    """The value of the highest colour."""


@dataclass(frozen=True, kw_only=True)
class ValueRange:
    """The least and the greatest value that a heat map can have; None without a bound."""

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class HeatMapValues:
    """The values of a heat map, row by row."""

    kind: str
    """relevance: only differences within one map have a meaning; mask: each value has one by itself."""
    network: str
    part: str
    range: ValueRange
    shape: tuple[int, ...]
    """Number of rows and columns."""
    values: tuple[tuple[float, ...], ...]
    raw_min: float
    raw_max: float


@dataclass(frozen=True, kw_only=True)
class Model:
    """The model that answered."""

    name: str
    version: str


@dataclass(frozen=True, kw_only=True)
class Attention:
    """Where the generator looked."""

    href: str | None
    """The path of the heat maps on the service's host; None if they are not kept."""
    overlay: Picture
    source_probability: float | None
    """The generator's probability that the photo is in the source domain, 0 to 1; None for a model without
    classifiers."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place in the upright photo in pixels."""

    x: float
    y: float


@dataclass(frozen=True, kw_only=True)
class Box:
    """An upright rectangle in pixels of the upright photo; it may reach beyond its edge."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class Landmarks:
    """Five places of a face; left and right as the photo shows them."""

    left_eye: Place
    right_eye: Place
    nose: Place
    mouth_left: Place
    mouth_right: Place


@dataclass(frozen=True, kw_only=True)
class Face:
    """A face in the photo."""

    box: Box
    landmarks: Landmarks
    score: float
    """The detector's probability that it is a face, 0 to 1."""
    turned_degrees: float
    """Positive is clockwise."""
    translated: bool


@dataclass(frozen=True, kw_only=True)
class Framing:
    """How the photo was framed for the network."""

    by: str
    """face: turned upright and framed as the training data; fit: as without a search for faces."""
    note: str | None
    """What a person should know about it, as a sentence."""
    corners: tuple[Place, ...]
    """What part of the photo the network got: left upper, right upper, right lower, left lower."""


@dataclass(frozen=True, kw_only=True)
class FaceMeasures:
    """How the main face lies in the part of the photo that `fit` cuts out."""

    height: float
    """The face's height over that of the part."""
    centre_x: float
    """0 is the part's left edge, 1 its right edge."""
    centre_y: float
    """0 is the part's top, 1 its bottom."""
    turned_degrees: float
    pixels: float
    """The face's height in pixels of the photo."""


@dataclass(frozen=True, kw_only=True)
class Input:
    """How well the photo suits the network."""

    source_probability: float | None
    sharpness: float
    """0 is blurred, 1 is sharp."""
    face: FaceMeasures | None
    """None if no face was found."""


@dataclass(frozen=True, kw_only=True)
class Timings:
    """Milliseconds in each stage."""

    decode: float
    queue: float
    inference: float
    encode: float
    total: float


@dataclass(frozen=True, kw_only=True)
class Animation:
    """The frames of an animated picture."""

    frames: int
    duration_ms: float
    """Of all frames together."""
    plays: int
    """How many times all frames are shown; 0 is for ever."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """The style of a translation."""

    seed: int | None
    """None for the style of a reference."""


@dataclass(frozen=True, kw_only=True)
class StyledPicture:
    """A translation in one of several styles."""

    seed: int
    image: Picture


@dataclass(frozen=True, kw_only=True)
class Cycle:
    """The photo back from its translation, by the opposite direction."""

    image: Picture
    l1: float
    """Mean distance of the image to the network's input, in levels from 0 to 255."""


@dataclass(frozen=True, kw_only=True)
class Translation:
    """A translated picture."""

    id: str | None
    """For its heat maps; None if they are not kept."""
    direction: str
    model: Model
    image: Picture
    animation: Animation | None = None
    """None for a still picture."""
    attention: Attention | None
    """None for a model without attention."""
    style: Style | None = None
    """None for a direction without styles."""
    styles: tuple[StyledPicture, ...] | None = None
    """The translation in each style, if `styles` was given; the first is the image."""
    faces: tuple[Face, ...] | None = None
    """The largest first; None if none were searched for."""
    framing: Framing | None = None
    input: Input | None = None
    cycle: Cycle | None = None
    """None without the option `cycle`."""
    timings_ms: Timings
    expires_at: datetime | None
    """Until when the heat maps are kept."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """The input size of a network."""

    height: int
    width: int
    fixed: bool
    """Whether the network accepts only this size."""


@dataclass(frozen=True, kw_only=True)
class Networks:
    """The networks whose heat maps are available."""

    generator: bool
    local: bool
    global_: bool


@dataclass(frozen=True, kw_only=True)
class HeatMapDeclaration:
    """A heat map that a direction has."""

    name: str
    network: str
    part: str
    kind: str
    range: ValueRange


@dataclass(frozen=True, kw_only=True)
class FramedFace:
    """How a face lies in a training picture."""

    height: float
    """The face's height over the picture's."""
    centre_x: float
    """From 0 at the left edge to 1 at the right."""
    centre_y: float
    """From 0 at the top to 1 at the bottom."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A measured figure of a translator."""

    metric: str
    protocol: str | None
    value: float
    subset_std: float | None = None
    standard_error: float | None = None
    n_translations: int | None = None
    n_targets: int | None = None
    seed: int | None = None
    extractor: str | None = None
    extractor_sha256: str | None = None
    data: str | None = None
    data_fingerprint: str | None = None


@dataclass(frozen=True, kw_only=True)
class Styles:
    """The styles that a direction takes."""

    dimension: int
    """Numbers in a style code."""
    prior: str
    """The distribution of the codes."""
    reference: bool
    """Whether the style of a reference picture can be taken."""
    default_seed: int
    most: int
    """Styles of one photo in one answer."""


@dataclass(frozen=True, kw_only=True)
class Direction:
    """One direction. The fields of its bundle are None until a bundle is verified."""

    name: str
    state: str
    """starting, ready, degraded or defunct."""
    reason: str | None
    source: str | None = None
    target: str | None = None
    model: Model | None = None
    method: str | None = None
    image: Size | None = None
    attention: Networks | None = None
    maps: tuple[HeatMapDeclaration, ...] | None = None
    styles: Styles | None = None
    """None for a direction that has only one."""
    framing: str | None = None
    face: FramedFace | None = None
    """None if it was not measured."""
    evaluation: tuple[Figure, ...] | None = None
    provider: str | None = None
    precision: str | None = None
    licence: str | None = None
    limits: str | None = None
    card: str | None = None
    """The model card, in Markdown."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of the service."""

    body_bytes: int
    pixels: int
    side_pixels: int
    files: int
    """Of one batch."""
    frames: int
    """Of an animation."""
    animation_pixels: int
    faces: int
    native_pixels: int | None = None
    """At which fit=native translates; 0 if it is turned off, None for a service that does not know it."""
    answer_side_pixels: int
    deadline_seconds: float
    attention_seconds: float
    requests_per_minute: float | None
    media_types: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Directions:
    """The directions and the limits of the service."""

    directions: tuple[Direction, ...]
    limits: Limits

    def __getitem__(self, name: str) -> Direction:
        """Return a direction by its name. Raises KeyError."""
        for direction in self.directions:
            if direction.name == name:
                return direction
        raise KeyError(name)
