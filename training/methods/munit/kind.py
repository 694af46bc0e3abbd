"""MUNIT as commands and configs see it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from training.methods.encoder_decoder.config import fitted_scales, widened
from training.methods.kind import MethodKind
from training.methods.loss_families import LossFamily
from training.methods.munit.config import MunitConfig
from training.methods.munit.importing import import_official, read_official_weights
from training.methods.munit.method import Munit
from training.methods.munit.translators import NAME, TITLE

_FAMILIES: Final = {
    "G_recon": LossFamily("Self-reconstruction", "L1 between a picture and its own reconstruction", "recon"),
    "G_style": LossFamily("Style", "L1 between the style code of a translation and the drawn one", "style"),
    "G_content": LossFamily(
        "Content", "L1 between the content codes of a picture and of its translation", "content"
    ),
    "G_cycle": LossFamily("Cycle", "L1 between a picture and its reconstruction in its own style", "cycle"),
    "G_adv": LossFamily(
        "Generators, adversarial",
        "squared distance of the discriminators' answers to fakes from real, summed over scales",
        "adversarial",
    ),
    "D_adv": LossFamily(
        "Discriminators, adversarial", "0: real and fake fully separated, 0.5 for each scale: not at all"
    ),
}

MUNIT: Final = MethodKind(
    name=NAME,
    title=TITLE,
    config=MunitConfig,
    build=Munit,
    presets=Path(__file__).parent / "presets",
    families=_FAMILIES,
    widened=widened,
    fitted=fitted_scales(NAME),
    import_official=import_official,
    read_official=read_official_weights,
)
