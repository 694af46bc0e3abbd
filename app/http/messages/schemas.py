"""The schemas of JSON answers, as OpenAPI documents them."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, Self

from pydantic import BaseModel, Field

from app.engine.render_options import EncodedPicture
from app.http.messages.face_schemas import FaceAnswer, FramingAnswer, InputAnswer
from app.http.messages.style_schemas import StyleAnswer, StylesAnswer
from models.bundle.declarations import Figure, FramedFace, Framing, HeatMap, Kind, Network, Part, Range
from models.images.encode import MediaType
from models.images.timing import Timing

BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
"""The OpenAPI content of a body that is a file."""


class Picture(BaseModel):
    """An encoded picture."""

    media_type: MediaType
    width: int
    height: int
    data: str | None = Field(
        None,
        description="Base64; absent if the picture is a separate part of the answer.",
        exclude_if=lambda data: data is None,
    )

    @classmethod
    def of(cls, encoded: EncodedPicture, data: str | None = None) -> Self:
        """Return the description of a picture; `data` is its base64."""
        return cls(media_type=encoded.media_type, width=encoded.width, height=encoded.height, data=data)


class Model(BaseModel):
    """The model that answered."""

    name: str
    version: str = Field(description="The first 12 hex digits of the manifest's sha256.")


class StyledPicture(BaseModel):
    """A translation in one of several styles."""

    seed: int
    image: Picture


class AnimationAnswer(BaseModel):
    """The frames of an animated picture."""

    frames: int
    duration_ms: float = Field(description="Of all frames together, as in the photo's file.")
    plays: int = Field(description="How many times all frames are shown; 0 is for ever.")

    @classmethod
    def of(cls, timing: Timing | None) -> Self | None:
        """Return the description of an animation; None for a still picture."""
        if timing is None:
            return None
        return cls(frames=timing.frames, duration_ms=sum(timing.durations_ms), plays=timing.plays)


class Attention(BaseModel):
    """The attention of the generator."""

    href: str | None = Field(description="Path of this translation's heat maps; null if they are not kept.")
    overlay: Picture
    source_probability: float | None = Field(
        description="The generator's probability that the photo is in the source domain, 0 to 1; null for a "
        "model without classifiers."
    )


class CycleAnswer(BaseModel):
    """The photo back from its translation, by the opposite direction."""

    image: Picture
    l1: float = Field(
        description="Mean distance of the image to the network's input, in levels from 0 to 255."
    )


class Timings(BaseModel):
    """Milliseconds in each stage."""

    decode: float
    queue: float
    inference: float
    encode: float
    total: float


class TranslateAnswer(BaseModel):
    """The answer of `POST /translate` as JSON."""

    id: str | None = Field(
        description="Id for GET /attention; null if the heat maps are not kept: with keep=false, or while "
        "the store is down."
    )
    direction: str
    model: Model
    image: Picture
    animation: AnimationAnswer | None = Field(
        None,
        description="The frames of the image; absent if it is not animated. The overlay shows the first one.",
        exclude_if=lambda animation: animation is None,
    )
    attention: Attention | None = Field(description="Null for a model without attention.")
    style: StyleAnswer | None = Field(
        None,
        description="The style of the image; absent for a direction without styles.",
        exclude_if=lambda style: style is None,
    )
    styles: list[StyledPicture] | None = Field(
        None,
        description="The translation in each style, with the option styles; the first is the image.",
        exclude_if=lambda styles: styles is None,
    )
    faces: list[FaceAnswer] | None = Field(
        None,
        description="Faces of the photo, the largest first, in pixels of the upright photo; absent if none "
        "were searched for (face=none).",
        exclude_if=lambda faces: faces is None,
    )
    framing: FramingAnswer | None = Field(
        None,
        description="How the photo was framed; absent with face=none.",
        exclude_if=lambda framing: framing is None,
    )
    input: InputAnswer | None = Field(
        None,
        description="How well the photo suits the network; absent with face=none.",
        exclude_if=lambda quality: quality is None,
    )
    cycle: CycleAnswer | None = Field(
        None,
        description="Of the first frame and the largest translated face; absent without cycle=true.",
        exclude_if=lambda cycle: cycle is None,
    )
    timings_ms: Timings
    expires_at: datetime | None = Field(
        description="Time until which the heat maps are kept; null if the id is null."
    )


class RawAttention(BaseModel):
    """The answer of `GET /attention?view=raw`."""

    kind: Kind = Field(
        description="relevance: a class activation map with relative values; mask: absolute values."
    )
    network: Network
    part: Part
    range: Range = Field(description="The least and greatest possible values; null without a bound.")
    shape: list[int] = Field(min_length=2, max_length=2, description="Number of rows and columns.")
    values: list[list[float]] = Field(description="Values of the map, row by row.")
    raw_min: float
    raw_max: float


class Size(BaseModel):
    """The input size of a network."""

    height: int
    width: int
    fixed: bool = Field(description="Whether the network accepts only this size.")


class Networks(BaseModel):
    """The networks whose attention is available."""

    generator: bool
    local: bool
    global_: bool = Field(serialization_alias="global")


class DirectionAnswer(BaseModel):
    """One direction. The fields of its bundle are null until a bundle is verified."""

    name: str
    state: Literal["starting", "ready", "degraded", "defunct"] = Field(
        description="degraded: it translates, but something failed or is being restarted; `reason` says what."
    )
    reason: str | None = Field(
        description="Why the direction is degraded, defunct, or in float32 instead of the set precision."
    )
    source: str | None = None
    target: str | None = None
    model: Model | None = None
    method: str | None = None
    image: Size | None = None
    attention: Networks | None = None
    maps: list[HeatMap] | None = Field(None, description="The heat maps that the bundle declares.")
    styles: StylesAnswer | None = Field(
        None, description="The styles to choose from; null for a direction that has only one."
    )
    framing: Framing | None = Field(None, description="What a training picture shows; null if unknown.")
    face: FramedFace | None = Field(
        None, description="How a face lies in a training picture; null if it was not measured."
    )
    evaluation: list[Figure] | None = Field(None, description="Measured figures of the translator.")
    provider: str | None = Field(None, description="The execution provider in use.")
    precision: str | None = None
    licence: str | None = None
    limits: str | None = None
    card: str | None = Field(None, description="The model card, in Markdown.")


class Limits(BaseModel):
    """The limits of the service; each is a setting of the deployment."""

    body_bytes: int = Field(description="Largest request body, before and after its Content-Encoding.")
    pixels: int = Field(description="Most pixels of a picture.")
    side_pixels: int = Field(description="Longest side of a picture.")
    files: int = Field(description="Most files of one POST /translate/batch.")
    frames: int = Field(description="Most frames of an animation; times its faces with face=all.")
    animation_pixels: int = Field(description="Most pixels of all frames of an animation together.")
    faces: int = Field(description="Most faces of one photo that are translated (option face=all).")
    native_pixels: int = Field(
        description="Most pixels at which fit=native translates a photo; 0 if it is turned off."
    )
    answer_side_pixels: int = Field(description="Longest side of a translated picture (option size).")
    deadline_seconds: float = Field(description="Time for a picture after it was admitted; then 504.")
    attention_seconds: float = Field(description="Time that a translation's heat maps are kept.")
    requests_per_minute: float | None = Field(description="Requests of one client; null without a limit.")
    media_types: list[MediaType] = Field(description="Accepted formats, detected from the bytes.")


class DirectionsAnswer(BaseModel):
    """The answer of `GET /directions`."""

    directions: list[DirectionAnswer]
    limits: Limits


class Health(BaseModel):
    """The answer of `GET /healthz`: the process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """The answer of `GET /readyz`, when ready."""

    status: Literal["ready"] = "ready"
    store: Literal["up", "down"] = Field(
        description="Whether the store of heat maps answered its last request. Translating works without it."
    )
    directions: dict[str, str] = Field(description="State by direction.")
    reasons: dict[str, str] = Field(
        {},
        description="Reason by direction, for directions that have one; absent if none has.",
        exclude_if=lambda reasons: not reasons,
    )
