"""The query options, as OpenAPI documents them."""

from __future__ import annotations

import difflib
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from app.engine.face_choice import FaceMode
from app.engine.planning import FrameChoice
from app.engine.render_options import Base, Format, View
from app.http.messages.style_schemas import MOST_STYLES
from models.bundle.declarations import Network, Part
from models.bundle.style_codes import LARGEST_SEED
from models.images.frame import Fit
from models.images.heatmap import Colormap


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
        "one, or without a face the photo as fit says; largest, all, at: the largest, every one (put back "
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
