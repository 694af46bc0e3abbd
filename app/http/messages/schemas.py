"""The schemas of query options and JSON answers, as OpenAPI documents them."""

from __future__ import annotations

import difflib
from datetime import datetime
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from app.engine.face_choice import FaceMode
from app.engine.planning import FrameChoice
from app.engine.render_options import Base, EncodedPicture, Format, View
from app.http.messages.face_schemas import FaceAnswer, FramingAnswer, InputAnswer
from app.http.messages.style_schemas import MOST_STYLES, StyleAnswer, StylesAnswer
from models.bundle.declarations import Figure, FramedFace, Framing, HeatMap, Kind, Network, Part, Range
from models.bundle.style_codes import LARGEST_SEED
from models.images.encode import MediaType
from models.images.frame import Fit
from models.images.heatmap import Colormap
from models.images.timing import Timing

BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
"""The OpenAPI content of a body that is a file."""


class _Options(BaseModel):
    """Query options. An unknown option is refused instead of silently ignored."""

    # `allow` passes unknown options to the validator below, which refuses them with the nearest match.
    model_config = ConfigDict(extra="allow")

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown(cls, options: dict[str, Any]) -> dict[str, Any]:
        known = list(cls.model_fields)
        for name in options:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                remedy = f"did you mean {near[0]}?" if near else f"the options are {', '.join(known)}."
                raise PydanticCustomError(
                    "unknown_option",
                    "Unknown option {name}; {remedy}",
                    {"name": name[:64], "remedy": remedy},
                )
        return options


class _ColourOptions(_Options):
    alpha: float = Field(0.5, ge=0, le=1, description="Opacity of the colours in an overlay.")
    colormap: Colormap = Field("jet", description="Colours from the lowest to the highest relevance.")


class TranslateOptions(_ColourOptions):
    """Options of `POST /translate`."""

    direction: str = Field(
        min_length=1, description="A name from GET /directions.", examples=["selfie2anime"]
    )
    fit: Fit = Field(
        "cover",
        description="cover: the centre square; contain: all of it, padded; stretch: all of it, distorted; "
        "native: all of it at its own shape and size (a photo above limits.native_pixels is shrunk), for "
        "directions whose image size is not fixed; no face is searched for.",
    )
    format: Format = Field("png", description="Format of the pictures, unless Accept names an image type.")
    size: int | None = Field(
        None,
        ge=1,
        le=16_384,
        description="Longer side of the translated picture in pixels, by Lanczos. At most the photo's own "
        "(that of the part which was translated, without paste) and the service's limit, 4,096 by default. "
        "Without this option the picture has the network's size, or with paste the photo's.",
    )
    frames: FrameChoice = Field(
        "all",
        description="Frames of an animated GIF, WebP or PNG that are translated. all: every one, and the "
        "answer is animated (a JPEG shows the first); first: only the first one.",
    )
    face: FaceMode | None = Field(
        None,
        description="Faces to translate, turned upright and framed as the training data. auto: the largest "
        "one, or the photo as fit says if there is none; largest, all, at: the largest, every one (put back "
        "into the photo), the one at x and y, or 422; none: the photo as fit says. The default is auto for "
        "a direction whose framing is face, unless fit is contain or stretch; else none.",
    )
    x: float | None = Field(
        None,
        ge=0,
        allow_inf_nan=False,
        description="With face=at: pixels from the photo's left edge.",
    )
    y: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="With face=at: pixels from the photo's top."
    )
    paste: bool | None = Field(
        None,
        description="Put the translation back into the whole photo, at the photo's own size. Heat maps then "
        "cover the whole photo too. Always true for face=all.",
    )
    keep: bool = Field(
        True,
        description="Keep the translation for GET /attention. false: nothing of it is stored, and id, href "
        "and expires_at are null; the overlay is in the answer. For pictures of a camera, many a second.",
    )
    style: int | None = Field(
        None,
        ge=0,
        le=LARGEST_SEED - MOST_STYLES,
        description="For a direction with styles: the seed of the style, 0 by default. The same seed gives "
        "the same picture. To take the style of a picture, send it as a second part of the form, reference.",
    )
    styles: int | None = Field(
        None,
        ge=1,
        le=MOST_STYLES,
        description="For a direction with styles: translate the photo in this many, of the seeds from style "
        "on. The answer is JSON; its pictures have at most 1,024 pixels, and of an animation it shows the "
        "first frame.",
    )

    cycle: bool = Field(
        False,
        description="Also translate the translation back by the opposite direction, and compare it with the "
        "photo; needs both bundles. Only with an answer in JSON.",
    )


class _MapOptions(_Options):
    network: Network = Field(
        "generator",
        description="The network whose attention is shown; local and global are the discriminators.",
    )
    part: Part = Field(
        "both",
        description="both: the paper's map; average, maximum: the shares of the two pools' classifiers in "
        "it; classifier: the class activation map of the average pool's classifier.",
    )

    frame: int = Field(
        0, ge=0, description="The frame of an animation; 0 is the first. A still picture has only that one."
    )
    face: int | None = Field(
        None,
        ge=0,
        description="The heat map of one translated face of a photo with several (face=all); 0 is the "
        "largest. Without this option a picture shows all, and the values are those of the largest.",
    )


class HeatMapOptions(_MapOptions, _ColourOptions):
    """Options of `GET /attention/{id}`."""

    view: View = Field(
        "overlay", description="overlay: the heat map over a picture; heatmap: the heat map alone."
    )
    base: Base = Field("source", description="The picture under an overlay.")
    size: int | None = Field(
        None, ge=1, le=1024, description="Longer side in pixels; by default the network's."
    )
    legend: bool = Field(
        False, description="Add the colours with their values below the picture, which becomes higher."
    )


class ValuesOptions(_MapOptions):
    """Options of `GET /attention/{id}/raw`."""


class AttentionOptions(HeatMapOptions):
    """Options of `GET /attention`."""

    id: str = Field(description="From the answer of POST /translate.", examples=["4Yp8VYcnVYQmTnWkN0bXkA"])
    view: Literal["overlay", "heatmap", "raw"] = Field(  # type: ignore[assignment]
        "overlay", description="overlay and heatmap as above; raw: the values as JSON."
    )


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
