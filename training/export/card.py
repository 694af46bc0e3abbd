"""The model card of a bundle: facts about the translator, for people."""

from __future__ import annotations

from string import Template
from typing import Final

from models.bundle.manifest import Manifest

_CARD: Final = Template("""# $direction

Translates a picture of the domain *$source* into the domain *$target* with U-GAT-IT (Kim et al., ICLR 2020).

| | |
| --- | --- |
| architecture | $architecture |
| picture size | $size |
| training | $training |
| attention | $attention |
| parity with torch | $parity |
| licence | $licence |
| limits | $limits |

$notes
""")

_NO_NOTES: Final = "Nothing else was recorded about how these weights were trained or how good they are."


def write_card(manifest: Manifest, notes: str | None) -> str:
    """Return the card in Markdown, from the manifest and the author's notes."""
    size = manifest.image
    return _CARD.substitute(
        direction=manifest.direction,
        source=manifest.source,
        target=manifest.target,
        architecture=_architecture(manifest),
        size=f"{size.width}x{size.height} px{' only' if size.fixed else ', the size it was trained at'}",
        training=_training(manifest),
        attention=_attention(manifest),
        parity=_parity(manifest),
        licence=manifest.licence,
        limits=manifest.limits,
        notes=(notes or _NO_NOTES).strip(),
    )


def _architecture(manifest: Manifest) -> str:
    architecture = manifest.architecture
    variant = "light" if architecture["light"] else "full"
    channels, blocks = architecture["channels"], architecture["blocks"]
    return f"{variant} generator, {channels} base channels, {blocks} residual blocks"


def _training(manifest: Manifest) -> str:
    training = manifest.training
    steps = f"{training.steps:,} steps" if training.steps is not None else "steps not recorded"
    return f"{steps}; data: {training.data or 'not recorded'}"


def _attention(manifest: Manifest) -> str:
    networks = dict.fromkeys(each.network for each in manifest.maps)
    return ", ".join(networks) or "none"


def _parity(manifest: Manifest) -> str:
    parity = manifest.parity
    return (
        f"image values differ by at most {parity.image_max_levels} of 255, {parity.image_equal:.2%} equal "
        f"({parity.reference})"
    )
