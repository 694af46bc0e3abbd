"""The model card of a bundle: facts about the translator, for people."""

from __future__ import annotations

from collections.abc import Sequence
from string import Template
from typing import Final

from models.bundle.declarations import Figure
from models.bundle.manifest import Manifest

_CARD: Final = Template("""# $direction

Translates a picture of the domain *$source* into the domain *$target* with $method.

| | |
| --- | --- |
| architecture | $architecture |
| picture size | $size |
| training | $training |
| attention | $attention |
| parity with $reference | $parity |
| licence | $licence |
| limits | $limits |
$figures
$notes
""")

_FIGURES_HEAD: Final = """| figure | protocol | value | spread | translations and targets |
| --- | --- | --: | --- | --- |"""

_NO_NOTES: Final = "Nothing else was recorded about how these weights were trained or how good they are."


def write_card(manifest: Manifest, notes: str | None, *, method: str, shape: str | None) -> str:
    """Return the card in Markdown.

    Args:
        manifest: of the bundle.
        notes: the author's.
        method: its name for people.
        shape: the shape of the network in words; None for a network that torch has not exported.
    """
    size = manifest.image
    return _CARD.substitute(
        direction=manifest.direction,
        source=manifest.source,
        target=manifest.target,
        reference="the model itself" if shape is None else "torch",
        method=method,
        architecture=shape or _architecture(manifest),
        size=f"{size.width}x{size.height} px{' only' if size.fixed else ', the size it was trained at'}",
        training=_training(manifest),
        attention=_attention(manifest),
        parity=_parity(manifest),
        licence=manifest.licence,
        limits=manifest.limits,
        figures=_figures(manifest.evaluation),
        notes=(notes or _NO_NOTES).strip(),
    )


def _architecture(manifest: Manifest) -> str:
    return ", ".join(f"{name} {value}" for name, value in manifest.architecture.items())


def _training(manifest: Manifest) -> str:
    training = manifest.training
    steps = f"{training.steps:,} steps" if training.steps is not None else "steps not recorded"
    return f"{steps}; data: {training.data or 'not recorded'}"


def _attention(manifest: Manifest) -> str:
    networks = dict.fromkeys(each.network for each in manifest.maps)
    parts = dict.fromkeys(each.part for each in manifest.maps)
    return f"{', '.join(networks)}; parts: {', '.join(parts)}" if networks else "none"


def _figures(figures: Sequence[Figure]) -> str:
    """Return the measured figures as a table of their own; nothing without figures."""
    if not figures:
        return ""
    rows = [
        f"| {each.metric} | {each.protocol or ''} | {each.value:.4g} | {_spread(each)} | {_counts(each)} |"
        for each in figures
    ]
    return "\n".join(["", _FIGURES_HEAD, *rows, ""])


def _spread(figure: Figure) -> str:
    spreads = [("subset std", figure.subset_std), ("standard error", figure.standard_error)]
    return ", ".join(f"{name} {value:.2g}" for name, value in spreads if value is not None)


def _counts(figure: Figure) -> str:
    return " and ".join(f"{n:,}" for n in (figure.n_translations, figure.n_targets) if n is not None)


def _parity(manifest: Manifest) -> str:
    parity = manifest.parity
    return (
        f"image values differ by at most {parity.image_max_levels} of 255, {parity.image_equal:.2%} equal "
        f"({parity.reference})"
    )
