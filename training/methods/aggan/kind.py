"""AGGAN as commands and configs see it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from training.methods.aggan.config import AgganConfig
from training.methods.aggan.importing import import_official
from training.methods.aggan.method import Aggan
from training.methods.aggan.translators import NAME, TITLE
from training.methods.image_pool import pool_bytes
from training.methods.kind import Changes, MethodKind
from training.methods.loss_families import LossFamily

_FAMILIES: Final = {
    "G_cycle": LossFamily("Cycle", "L1 between a picture and its reconstruction", "cycle"),
    "G_adv": LossFamily(
        "Generators, adversarial",
        "squared distance of the discriminators' answers to fakes from real",
        "adversarial",
    ),
    "D_adv": LossFamily("Discriminators", "0: real and fake fully separated, 0.25: not at all"),
}


def _widened(channels: int) -> Changes:
    return {name: {"channels": channels} for name in ("generator", "discriminator")}


AGGAN: Final = MethodKind(
    name=NAME,
    title=TITLE,
    config=AgganConfig,
    build=Aggan,
    presets=Path(__file__).parent / "presets",
    families=_FAMILIES,
    widened=_widened,
    extra_bytes=lambda config, size: pool_bytes(2 * config.pool, size=size, channels=4),  # with masks
    import_official=import_official,
)
