"""What a manifest declares about its models: their inputs, heat maps and logits, and measured figures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

Network = Literal["generator", "local", "global"]
"""A network of a bundle; `local` and `global` are the discriminators."""

Part = Literal["both", "average", "maximum", "classifier"]
"""What a CAM's heat map shows.

both: the paper's map, the sum of the attention features over the channels (section 2.1.1).
average, maximum: the shares of the average pool's and of the max pool's classifier in that sum.
classifier: the class activation map of Zhou et al. (CVPR 2016) for the average pool's classifier, whose mean
is that classifier's logit.
"""

PARTS: Final[tuple[Part, ...]] = get_args(Part)

Kind = Literal["relevance", "mask"]
"""relevance: only differences within one map have a meaning. mask: each value has one by itself."""

Framing = Literal["picture", "face"]
"""What a training picture shows: anything, or one face that fills it."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=64)]


def map_name(network: Network, part: Part) -> str:
    """Return the name of the output that holds a network's heat map in an exported bundle."""
    words = ("attention", None if part == "both" else part, None if network == "generator" else network)
    return "_".join(word for word in words if word is not None)


GATED_MAPS: Final = frozenset(
    map_name(network, part) for network in get_args(Network) for part in ("average", "maximum")
)
"""The outputs that jump where a feature is zero: they are shares of a sum behind a (leaky) ReLU."""


class Declaration(BaseModel):
    """A part of a manifest. JSON has no NaN and no infinity, so HTTP could not send them on."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class FramedFace(Declaration):
    """How a face lies in a training picture: medians over the pictures of the source domain."""

    height: float = Field(gt=0, le=4)
    """The face's height over the picture's."""
    centre_x: float = Field(ge=0, le=1)
    """From 0 at the left edge to 1 at the right."""
    centre_y: float = Field(ge=0, le=1)
    """From 0 at the top to 1 at the bottom."""


class Input(Declaration):
    """An input of the generator: `picture` is uint8 `[N, H, W, 3]` in RGB."""

    name: Name
    kind: Literal["picture"]


class StyleInput(Declaration):
    """A further input of the generator: style codes, float32 `[N, dimension]`."""

    name: Name
    kind: Literal["style"]
    dimension: int = Field(ge=1, le=4096)
    """Numbers in a code."""
    prior: Literal["normal"]
    """The distribution of codes in training: each number is drawn from N(0, 1)."""


class Range(Declaration):
    """The least and the greatest value that a heat map can have; null without a bound."""

    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError("low must be less than high")
        return self


class HeatMap(Declaration):
    """A heat map `[N, h, w]` in float32 that a network returns."""

    name: Name
    """Of the model's output."""
    network: Network
    part: Part = "both"
    kind: Kind
    range: Range

    @model_validator(mode="after")
    def _bounded_mask(self) -> Self:
        if self.kind == "mask" and None in (self.range.low, self.range.high):
            raise ValueError("a mask needs both ends of its range")
        return self

    @property
    def mask_range(self) -> tuple[float, float] | None:
        """The least and the greatest value of a mask; None for a relevance, whose values are relative."""
        low, high = self.range.low, self.range.high
        return None if self.kind == "relevance" or low is None or high is None else (low, high)


def declare_maps(networks: Iterable[Network]) -> list[HeatMap]:
    """Return the heat maps of networks with a CAM, as an export declares them: every part of each."""
    return [
        HeatMap(
            name=map_name(network, part),
            network=network,
            part=part,
            kind="relevance",
            # Only the generator's whole map is a sum of outputs of a ReLU.
            range=Range(low=0 if (network, part) == ("generator", "both") else None),
        )
        for network in networks
        for part in PARTS
    ]


class Logits(Declaration):
    """Logits `[N, 2]` of a network's average-pool and max-pool classifiers, high for the source domain."""

    name: Name
    network: Literal["generator"] = "generator"


class Figure(Declaration):
    """A measured figure of the translator, as `ugatit-train evaluate` reports it."""

    metric: str
    """kid, kid-lite, fid, fid-lite, cycle-l1, ...; never times 100."""
    protocol: str | None
    value: float
    subset_std: float | None = None
    standard_error: float | None = None
    n_translations: int | None = Field(default=None, ge=0)
    n_targets: int | None = Field(default=None, ge=0)
    seed: int | None = None
    extractor: str | None = None
    extractor_sha256: str | None = None
    data: str | None = None
    """The name of the data set."""
    data_fingerprint: str | None = None
