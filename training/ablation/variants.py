"""The variants of an ablation: the paper's eight, and the full model with further seeds."""

from __future__ import annotations

from typing import Final, NamedTuple

from training.config.run_config import RunConfig, changed
from training.methods.ugatit.ablations import ABLATIONS
from training.methods.ugatit.translators import NAME

FULL: Final = "full"
"""The name of the full model, the first row of the paper's table."""


TITLES: Final = {
    FULL: "U-GAT-IT",
    "in": "U-GAT-IT with IN only",
    "ln": "U-GAT-IT with LN only",
    "adain": "U-GAT-IT with AdaIN",
    "gn": "U-GAT-IT with GN",
    "no-cam": "U-GAT-IT without CAM",
    "no-generator-cam": "U-GAT-IT without generator CAM",
    "no-discriminator-cam": "U-GAT-IT without discriminator CAM",
}
"""How a table names each variant; `training/evaluation/published.toml` uses the same names."""


class Variant(NamedTuple):
    """One run of an ablation."""

    folder: str
    """The name of the run's folder."""
    name: str
    """`full`, or one of `ABLATIONS`."""
    seed: int


def list_variants(seed: int, *, seeds: int = 1) -> list[Variant]:
    """Return the eight variants in the order of the paper's table, then the full model with further seeds."""
    variants = [Variant(name, name, seed) for name in (FULL, *ABLATIONS)]
    further = range(seed + 1, seed + seeds)
    return variants + [Variant(f"{FULL}-seed-{each}", FULL, each) for each in further]


def config_of(variant: Variant, full: RunConfig) -> RunConfig:
    """Return the config of a variant, from that of the full model.

    Raises:
        ConfigError: the full model's config contradicts the variant.
    """
    return changed(full, {"seed": variant.seed, NAME: ABLATIONS.get(variant.name, {})})


def title(variant: Variant) -> str:
    """Return how a table names a variant."""
    words = TITLES[variant.name]
    return words if variant.folder == variant.name else f"{words}, seed {variant.seed}"
