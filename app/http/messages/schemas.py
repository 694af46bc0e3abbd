"""What requests may ask and what answers hold, as OpenAPI tells it."""

from __future__ import annotations

import difflib
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from app.engine.engine import Network
from app.engine.render_options import Base, EncodedPicture, Format, View
from models.images.encode import MediaType
from models.images.frame import Fit
from models.images.heatmap import Colormap


class _Options(BaseModel):
    """Query options; one that does not exist is refused, so that nothing asked for is silently ignored."""

    # The validator below refuses unknown options; `allow` lets them come that far, to name the nearest.
    model_config = ConfigDict(extra="allow")

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown(cls, options: dict[str, Any]) -> dict[str, Any]:
        known = list(cls.model_fields)
        for name in options:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                remedy = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
                raise PydanticCustomError(
                    "unknown_option",
                    "There is no option {name}; {remedy}",
                    {"name": name[:64], "remedy": remedy},
                )
        return options


class _Look(_Options):
    alpha: float = Field(0.5, ge=0, le=1, description="The colours' share in an overlay.")
    colormap: Colormap = Field("jet", description="From the lowest relevance to the highest.")


class TranslateOptions(_Look):
    """Options of `POST /translate`."""

    direction: str = Field(
        min_length=1, description="A name from GET /directions.", examples=["selfie2anime"]
    )
    fit: Fit = Field(
        "cover", description="cover: centre square; contain: all of it, padded; stretch: distorted."
    )
    format: Format = Field("png", description="Of the pictures, unless Accept names an image type.")
    size: int | None = Field(
        None,
        ge=1,
        le=16_384,
        description="Longer side of the translated picture in pixels, by Lanczos; at most that of the photo "
        "(of its centre square with fit=cover) and the service's limit, 4,096 by default. Without it the "
        "picture has the network's size.",
    )


class HeatMapOptions(_Look):
    """Options of `GET /attention/{id}`."""

    network: Network = Field(
        "generator", description="Whose attention; the discriminators judge the translation."
    )
    view: View = Field("overlay", description="overlay: over a picture; heatmap: the map alone.")
    base: Base = Field("source", description="The picture under an overlay.")
    size: int | None = Field(
        None, ge=1, le=1024, description="Longer side in pixels; the network's by default."
    )


class ValuesOptions(_Options):
    """Options of `GET /attention/{id}/raw`."""

    network: Network = Field(
        "generator", description="Whose attention; the discriminators judge the translation."
    )


class AttentionOptions(HeatMapOptions):
    """Options of `GET /attention`."""

    id: str = Field(description="From the answer of POST /translate.", examples=["4Yp8VYcnVYQmTnWkN0bXkA"])
    view: Literal["overlay", "heatmap", "raw"] = Field(  # type: ignore[assignment]
        "overlay", description="raw answers the values as JSON."
    )


class Picture(BaseModel):
    """An encoded picture."""

    media_type: MediaType
    width: int
    height: int
    data: str | None = Field(
        None,
        description="Base64; absent where the picture is a part of its own.",
        exclude_if=lambda data: data is None,
    )

    @classmethod
    def of(cls, encoded: EncodedPicture, data: str | None = None) -> Self:
        """Describe a picture; `data` is its base64."""
        return cls(media_type=encoded.media_type, width=encoded.width, height=encoded.height, data=data)


class Model(BaseModel):
    """Which weights answered."""

    name: str
    version: str = Field(description="The first 12 hex digits of the manifest's sha256.")


class Attention(BaseModel):
    """Where the generator looked."""

    href: str | None = Field(
        description="A path: the heat maps of this translation. Null if it could not be kept."
    )
    overlay: Picture
    source_probability: float = Field(
        description="How sure the generator is to see its source domain, 0 to 1."
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
        description="For GET /attention. Null if it could not be kept, as while the store is away; "
        "all else is answered all the same."
    )
    direction: str
    model: Model
    image: Picture
    attention: Attention | None = Field(description="Null for a model without attention.")
    timings_ms: Timings
    expires_at: datetime | None = Field(
        description="Until then the attention can be asked for; null with the id."
    )


class RawAttention(BaseModel):
    """The answer of `GET /attention?view=raw`."""

    kind: Literal["relevance", "mask"] = Field(description="relevance: a CAM, relative; mask: absolute.")
    network: Network
    shape: list[int] = Field(min_length=2, max_length=2, description="Rows and columns.")
    values: list[list[float]] = Field(description="The map's own values, row by row.")
    raw_min: float
    raw_max: float


class Size(BaseModel):
    """The size at which a network works."""

    height: int
    width: int
    fixed: bool = Field(description="Whether the network takes only this size.")


class Networks(BaseModel):
    """Whose attention can be asked for."""

    generator: bool
    local: bool
    global_: bool = Field(serialization_alias="global")


class DirectionAnswer(BaseModel):
    """One direction; what a bundle would tell is null while none was verified."""

    name: str
    state: Literal["starting", "ready", "degraded", "defunct"] = Field(
        description="degraded: it translates, but something is wrong or being mended."
    )
    reason: str | None = Field(
        description="Why it is degraded or defunct, or in float32 although a lower precision is in use."
    )
    source: str | None = None
    target: str | None = None
    model: Model | None = None
    method: str | None = None
    image: Size | None = None
    attention: Networks | None = None
    provider: str | None = Field(None, description="The execution provider truly in use.")
    precision: str | None = None
    licence: str | None = None
    limits: str | None = None
    card: str | None = Field(None, description="The model card, in Markdown.")


class Limits(BaseModel):
    """What the service takes and how long it keeps it; each is a setting of the deployment."""

    body_bytes: int = Field(description="Largest request body, before and after its Content-Encoding.")
    pixels: int = Field(description="Most pixels of a picture.")
    side_pixels: int = Field(description="Longest side of a picture.")
    answer_side_pixels: int = Field(description="Longest side of a translated picture (option size).")
    deadline_seconds: float = Field(description="Time a picture may take once it is admitted; then 504.")
    attention_seconds: float = Field(description="Time a translation's heat maps can be asked for.")
    requests_per_minute: float | None = Field(description="Of one client; null without a limit.")
    media_types: list[MediaType] = Field(description="Formats that are read; the bytes decide.")


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
        description="Whether the store of heat maps answered last; without it pictures are still translated."
    )
    directions: dict[str, str] = Field(description="The state of each.")
    reasons: dict[str, str] = Field(
        {},
        description="The `reason` of those directions that have one; absent where none has.",
        exclude_if=lambda reasons: not reasons,
    )
