"""UNIT as commands and configs see it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from training.methods.encoder_decoder.config import fitted_scales, widened
from training.methods.kind import MethodKind
from training.methods.loss_families import LossFamily
from training.methods.unit.config import UnitConfig
from training.methods.unit.importing import import_official, read_official_weights
from training.methods.unit.method import Unit
from training.methods.unit.translators import NAME, TITLE

_FAMILIES: Final = {
    "G_recon": LossFamily("Self-reconstruction", "L1 between a picture and its own reconstruction", "recon"),
    "G_kl": LossFamily("Latent codes", "their mean square"),
    "G_cycle": LossFamily("Cycle", "L1 between a picture and its reconstruction", "cycle"),
    "G_cycle_kl": LossFamily("Latent codes of translations", "their mean square"),
    "G_adv": LossFamily(
        "Generators, adversarial",
        "squared distance of the discriminators' answers to fakes from real, summed over scales",
        "adversarial",
    ),
    "D_adv": LossFamily(
        "Discriminators, adversarial", "0: real and fake fully separated, 0.5 for each scale: not at all"
    ),
}

UNIT: Final = MethodKind(
    name=NAME,
    title=TITLE,
    config=UnitConfig,
    build=Unit,
    presets=Path(__file__).parent / "presets",
    families=_FAMILIES,
    widened=widened,
    fitted=fitted_scales(NAME),
    import_official=import_official,
    read_official=read_official_weights,
)
