"""DRIT as commands and configs see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from models.networks.drit.config import DritConfig as DritNetworks
from models.networks.drit.config import deepest_content_layers, smallest_content_size
from training.methods.data_needs import DataNeeds
from training.methods.drit.config import DritConfig
from training.methods.drit.importing import import_official
from training.methods.drit.method import Drit
from training.methods.drit.translators import NAME, TITLE
from training.methods.kind import Changes, MethodKind
from training.methods.loss_families import LossFamily

_CROSS_ENTROPY: Final = "cross-entropy, summed over the scales"
_FAMILIES: Final = {
    "G_self": LossFamily("Self-reconstruction", "L1 between a picture and its own decoded codes", "self"),
    "G_cycle": LossFamily("Cross-cycle", "L1 between a picture and it after two exchanges", "cycle"),
    "G_latent": LossFamily("Latent regression", "L1 between a drawn attribute and its picture's", "latent"),
    "G_adv": LossFamily("Generator, encoded attributes", _CROSS_ENTROPY, "adversarial"),
    "G_adv_random": LossFamily("Generator, drawn attributes", _CROSS_ENTROPY),
    "G_content": LossFamily("Content, adversarial", "cross-entropy of the content's domain from undecided"),
    "G_content_norm": LossFamily("Norm of contents", "mean square"),
    "G_attribute_norm": LossFamily("Norm of attributes", "divergence from the normal distribution"),
    "G_mode": LossFamily("Mode seeking", "inverse of how much pictures differ for different attributes"),
    "D_adv": LossFamily("Discriminators, encoded attributes", _CROSS_ENTROPY),
    "D_adv_random": LossFamily("Discriminators, drawn attributes", _CROSS_ENTROPY),
    "D_content": LossFamily("Content discriminator", "cross-entropy of the content's domain"),
}


def _widened(channels: int) -> Changes:
    return {"networks": {"channels": channels}}


def _sized(size: int) -> Changes:
    """Return as many layers of the content discriminator, and scales, as the pictures allow."""
    scales = max(1, min(3, (size // 16).bit_length()))
    return {"networks": {"content_layers": deepest_content_layers(size), "scales": scales}}


def _fitted(section: Mapping[str, Any], size: int) -> tuple[Changes, Sequence[str]]:
    """Return a content discriminator no deeper than the pictures allow, and a remark if it was deeper."""
    layers, deepest = section["networks"]["content_layers"], deepest_content_layers(size)
    if not isinstance(layers, int) or layers <= deepest:
        return {}, ()
    remark = (
        f"{NAME}.networks.content_layers is {layers}, which is too deep for {size} px: this plan uses "
        f"{deepest}, the most that fit; add --set {NAME}.networks.content_layers={deepest}."
    )
    return {"networks": {"content_layers": deepest}}, (remark,)


def _lacks(config: DritConfig) -> tuple[str, ...]:
    layers, official = config.networks.content_layers, DritNetworks().content_layers
    if layers >= official:
        return ()
    return (
        f"DRIT trains with {layers} instead of {official} layers of stride 2 in its content discriminator "
        f"({NAME}.networks.content_layers): {official} need pictures of at least "
        f"{smallest_content_size(official)} px.",
    )


DRIT: Final = MethodKind(
    name=NAME,
    title=TITLE,
    config=DritConfig,
    build=Drit,
    presets=Path(__file__).parent / "presets",
    needs=lambda _: DataNeeds(pictures_each=2),
    families=_FAMILIES,
    about={"AB": "both domains"},
    sized=_sized,
    widened=_widened,
    fitted=_fitted,
    lacks=_lacks,
    import_official=import_official,
)
