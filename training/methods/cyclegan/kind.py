"""CycleGAN as commands and configs see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from training.methods.cyclegan.config import CycleganConfig
from training.methods.cyclegan.importing import (
    import_official,
    is_official_folder,
    read_official_weights,
)
from training.methods.cyclegan.method import Cyclegan
from training.methods.cyclegan.translators import NAME, TITLE
from training.methods.image_pool import pool_bytes
from training.methods.kind import Changes, MethodKind
from training.methods.loss_families import LossFamily

_FAMILIES: Final = {
    "G_cycle": LossFamily("Cycle", "L1 between a picture and its reconstruction", "cycle"),
    "G_identity": LossFamily("Identity", "L1 between a picture and its identity translation", "identity"),
    "G_adv": LossFamily(
        "Generators, adversarial",
        "squared distance of the discriminators' answers to fakes from real",
        "adversarial",
    ),
    "D_real": LossFamily("Discriminators, real", "squared distance of the answers to real pictures from 1"),
    "D_fake": LossFamily("Discriminators, fake", "squared distance of the answers to translations from 0"),
}


def _widened(channels: int) -> Changes:
    return {name: {"channels": channels} for name in ("generator", "discriminator")}


def _fitted(section: Mapping[str, Any], size: int) -> tuple[Changes, Sequence[str]]:
    """Return a discriminator no deeper than the pictures allow, and a remark if it was deeper."""
    layers, deepest = section["discriminator"]["layers"], max(1, (size // 3).bit_length() - 1)
    if not isinstance(layers, int) or layers <= deepest:
        return {}, ()
    remark = (
        f"{NAME}.discriminator.layers is {layers}, which is too deep for {size} px: this plan uses "
        f"{deepest}, the most that fit; add --set {NAME}.discriminator.layers={deepest}."
    )
    return {"discriminator": {"layers": deepest}}, (remark,)


CYCLEGAN: Final = MethodKind(
    name=NAME,
    title=TITLE,
    config=CycleganConfig,
    build=Cyclegan,
    presets=Path(__file__).parent / "presets",
    families=_FAMILIES,
    widened=_widened,
    fitted=_fitted,
    extra_bytes=lambda config, size: pool_bytes(2 * config.pool, size=size),
    import_official=import_official,
    read_official=read_official_weights,
    official_folder=is_official_folder,
)
