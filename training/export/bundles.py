"""Export translators in memory as verified bundles on disk."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.bundle.canary import STYLE, read_canary
from models.bundle.declarations import Figure, FramedFace, Framing, Input, StyleInput
from models.bundle.directory import write_bundle
from models.bundle.manifest import (
    CANARY,
    CARD,
    DISCRIMINATORS,
    FORMAT,
    GENERATOR,
    STYLE_ENCODER,
    Manifest,
    Training,
    split_direction,
)
from models.files.text import encodable
from models.networks.config import ConfigError
from models.storage.file_entry import FileEntry, entry_of
from training.export.canary import make_canary
from training.export.card import write_card
from training.export.parity import check_translator
from training.export.precision import measure_float16
from training.export.style_encoder import export_style_encoder
from training.export.translator import DiscriminatorGraph, Translator, export_translator


class Provenance(NamedTuple):
    """Where the weights come from and how they may be used, for the manifest and the model card."""

    steps: int | None = None
    data: str | None = None
    licence: str = "not recorded"
    limits: str = "not recorded"
    notes: str | None = None
    """Markdown for the model card."""
    framing: Framing | None = None
    """What a training picture shows."""
    face: FramedFace | None = None
    """How a face lies in a training picture of the source domain; None if that was not measured."""
    evaluation: Sequence[Figure] = ()
    """Measured figures of the translator."""
    checkpoint_sha256: str | None = None
    config_sha256: str | None = None


class PreparedBundle(NamedTuple):
    """A complete bundle in memory, whose graphs were compared with torch."""

    manifest: Manifest
    files: dict[str, bytes]

    def write(self, bundles: Path) -> Path:
        """Write the bundle below `bundles` and return its directory."""
        path = bundles / self.manifest.direction
        write_bundle(path, self.manifest, self.files)
        return path


def prepare_bundle(
    direction: str,
    translator: Translator,
    *,
    discriminators: bool = False,
    provenance: Provenance | None = None,
    precisions: bool = False,
    pictures: NDArray[np.uint8] | None = None,
) -> PreparedBundle:
    """Export a translator, and check that its graph computes what torch does in float64.

    Args:
        direction: its name.
        translator: the trained one.
        discriminators: also export the discriminators of its target domain, for their attention.
        provenance: of the weights.
        precisions: also measure the error of float16.
        pictures: of the source domain, `[k, H, W, 3]`, for the canary; they become part of the bundle. None
            draws some.

    Raises:
        BundleError: `direction` is not of the form SOURCE2TARGET.
        ConfigError: the discriminators show no attention, or need larger pictures than the translator's.
        ParityError: the outputs of an exported graph differ from torch's.
    """
    provenance = provenance or Provenance()
    source, target = split_direction(direction)
    exact = translator.in_float64()
    model = export_translator(exact)
    parity = check_translator(model, exact)
    files = {GENERATOR: model, CANARY: make_canary(exact, pictures)}
    architecture, maps = dict(translator.architecture), list(translator.maps)
    if discriminators:
        judged = _discriminators(translator)
        files[DISCRIMINATORS] = judged.model
        parity = parity.model_copy(update={"discriminators_relative": judged.relative_difference})
        architecture["discriminators"] = dict(judged.architecture)
        maps += translator.judged_maps
    if translator.style is not None and translator.style_encoding is not None:
        files[STYLE_ENCODER] = export_style_encoder(
            translator.style_encoding,
            dimension=translator.style.dimension,
            size=max(translator.size.height, translator.size.width),
        )
    manifest = Manifest(
        format=FORMAT,
        direction=direction,
        source=source,
        target=target,
        image=translator.size,
        method=translator.method,
        architecture=architecture,
        inputs=_inputs(translator),
        maps=maps,
        logits=list(translator.logits),
        framing=provenance.framing,
        face=provenance.face,
        training=_training(provenance),
        licence=encodable(provenance.licence),
        limits=encodable(provenance.limits),
        evaluation=list(provenance.evaluation),
        parity=parity,
        precisions={"float16": measure_float16(model, read_canary(files[CANARY]))} if precisions else {},
        files={name: entry_of(data) for name, data in files.items()},
    )
    return with_card(manifest, files, provenance.notes, method=translator.title, shape=translator.shape)


def _inputs(translator: Translator) -> list[Input | StyleInput]:
    picture = Input(name="pixels", kind="picture")
    if translator.style is None:
        return [picture]
    style = StyleInput(name=STYLE, kind="style", dimension=translator.style.dimension, prior="normal")
    return [picture, style]


def _discriminators(translator: Translator) -> DiscriminatorGraph:
    if translator.export_discriminators is None:
        raise ConfigError(
            f"The discriminators of {translator.title} show no attention; leave --discriminators out."
        )
    return translator.export_discriminators()


def _training(provenance: Provenance) -> Training:
    return Training(
        steps=provenance.steps,
        data=provenance.data and encodable(provenance.data),
        config_sha256=provenance.config_sha256,
        checkpoint_sha256=provenance.checkpoint_sha256,
        code_version=metadata.version("ugatit"),
    )


def with_card(
    manifest: Manifest, files: dict[str, bytes], notes: str | None, *, method: str, shape: str | None = None
) -> PreparedBundle:
    """Return a bundle with its model card, which the manifest and the author's notes make.

    Args:
        manifest: of the bundle.
        files: of the bundle.
        notes: Markdown for the card.
        method: its name for people.
        shape: the shape of the network in words; None lists the manifest's architecture.
    """
    card = write_card(manifest, notes, method=method, shape=shape).encode()
    entries: dict[str, FileEntry] = {**manifest.files, CARD: entry_of(card)}
    return PreparedBundle(manifest.model_copy(update={"files": entries}), {**files, CARD: card})
