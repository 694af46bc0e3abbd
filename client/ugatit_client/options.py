"""The options of requests, with the values that the service accepts."""

from __future__ import annotations

from typing import Literal, TypedDict

Fit = Literal["cover", "contain", "stretch", "native"]
Format = Literal["png", "jpeg", "webp", "gif"]
Frames = Literal["all", "first"]
FaceMode = Literal["auto", "largest", "all", "at", "none"]
Colormap = Literal["jet", "turbo", "viridis", "inferno", "gray"]
Network = Literal["generator", "local", "global"]
Part = Literal["both", "average", "maximum", "classifier"]
View = Literal["overlay", "heatmap"]
Base = Literal["source", "translation"]


class TranslateOptions(TypedDict, total=False):
    """Options of a translation. The service's default applies to each one that is left out."""

    fit: Fit
    """How a photo is framed that no face frames."""
    format: Format
    """Of the pictures in the answer."""
    frames: Frames
    """Of an animation that are translated."""
    face: FaceMode
    """The faces that are translated; `at` needs `x` and `y`."""
    x: float
    """In pixels of the upright photo."""
    y: float
    paste: bool
    """Whether the translation is put back into the whole photo."""
    keep: bool
    """Whether the service keeps the translation for its heat maps; True by default."""
    size: int
    """The longer side of the translated picture in pixels."""
    colormap: Colormap
    """Of the overlay."""
    alpha: float
    """The opacity of the overlay's colours, 0 to 1."""
    style: int
    """For a direction with styles: the seed of the style, 0 by default."""
    styles: int
    """For a direction with styles: translate in this many, of the seeds from `style` on."""
    cycle: bool
    """Whether the translation is translated back by the opposite direction."""


class ValuesOptions(TypedDict, total=False):
    """The heat map whose values are wanted."""

    network: Network
    part: Part
    frame: int
    """Of an animation; 0 is the first."""
    face: int
    """Of a photo with several translated faces; 0 is the largest."""


class HeatMapOptions(ValuesOptions, total=False):
    """Options of a heat map as a picture."""

    view: View
    base: Base
    """The picture under an overlay."""
    size: int
    """The longer side in pixels."""
    legend: bool
    """Whether the colours and their values are shown below the picture."""
    colormap: Colormap
    alpha: float
