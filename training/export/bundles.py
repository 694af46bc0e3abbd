"""Export networks in memory as verified bundles on disk."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import NamedTuple, TypeVar

from models.bundle.canary import read_canary, smooth_picture, write_canary
from models.bundle.declarations import Figure, Framing, Input, Logits, Network, declare_maps
from models.bundle.directory import write_bundle
from models.bundle.manifest import (
    CANARY,
    CARD,
    DISCRIMINATORS,
    FORMAT,
    GENERATOR,
    ImageSize,
    Manifest,
    Training,
    split_direction,
)
from models.files.text import encodable
from models.networks.config import ConfigError
from models.networks.discriminator import Discriminator
from models.networks.generator import Generator
from models.storage.file_entry import FileEntry, entry_of
from training.export.card import write_card
from training.export.discriminator import export_discriminators
from training.export.generator import export_generator
from training.export.parity import check_discriminators, check_generator, expected_outputs
from training.export.precision import measure_float16

_Module = TypeVar("_Module", Generator, Discriminator)


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
    evaluation: Sequence[Figure] = ()
    """Measured figures of the translator."""
    checkpoint_sha256: str | None = None
    config_sha256: str | None = None


class DiscriminatorPair(NamedTuple):
    """The discriminators of a direction's target domain."""

    local: Discriminator
    global_: Discriminator


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
    generator: Generator,
    *,
    discriminators: DiscriminatorPair | None = None,
    provenance: Provenance | None = None,
    precisions: bool = False,
) -> PreparedBundle:
    """Export a generator and its discriminators, and check that they compute what torch does in float64.

    Args:
        direction: its name.
        generator: the translator.
        discriminators: of the target domain, for their attention.
        provenance: of the weights.
        precisions: also measure the error of float16.

    Raises:
        BundleError: `direction` is not of the form SOURCE2TARGET.
        ConfigError: a discriminator has no CAM, or needs larger pictures than the generator's.
        ParityError: the outputs of an exported graph differ from torch's.
    """
    provenance = provenance or Provenance()
    source, target = split_direction(direction)
    exact = _in_float64(generator)
    model = export_generator(exact)
    parity = check_generator(model, exact)
    files = {GENERATOR: model, CANARY: _canary(exact)}
    architecture = asdict(generator.config)
    if discriminators is not None:
        files[DISCRIMINATORS], difference = _discriminators(discriminators, generator)
        parity = parity.model_copy(update={"discriminators_relative": difference})
        architecture["discriminators"] = {
            name: asdict(network.config)
            for name, network in (("local", discriminators.local), ("global", discriminators.global_))
        }
    networks: list[Network] = ["generator"] if generator.cam is not None else []
    networks += ["local", "global"] if discriminators is not None else []
    size = generator.config.size
    manifest = Manifest(
        format=FORMAT,
        direction=direction,
        source=source,
        target=target,
        image=ImageSize(height=size, width=size, fixed=not generator.config.light),
        method="ugatit",
        architecture=architecture,
        inputs=[Input(name="pixels", kind="picture")],
        maps=declare_maps(networks),
        logits=[Logits(name="cam_logit")] if generator.cam is not None else [],
        framing=provenance.framing,
        training=_training(provenance),
        licence=encodable(provenance.licence),
        limits=encodable(provenance.limits),
        evaluation=list(provenance.evaluation),
        parity=parity,
        precisions={"float16": measure_float16(model, read_canary(files[CANARY]))} if precisions else {},
        files={name: entry_of(data) for name, data in files.items()},
    )
    return with_card(manifest, files, provenance.notes)


def _in_float64(network: _Module) -> _Module:
    return copy.deepcopy(network).double().eval()


def _canary(exact: Generator) -> bytes:
    size = exact.config.size
    pixels = smooth_picture(size, size, seed=0)[None]
    return write_canary(pixels, expected_outputs(exact, pixels))


def _discriminators(pair: DiscriminatorPair, generator: Generator) -> tuple[bytes, float]:
    """Return the exported discriminators, and their largest relative difference from torch."""
    local, global_ = _in_float64(pair.local), _in_float64(pair.global_)
    size, dynamic = generator.config.size, generator.config.light
    for config in (local.config, global_.config):
        if not config.cam:
            raise ConfigError(
                "A discriminator needs a CAM to show its attention, got cam = false; "
                "export without discriminators."
            )
        if size < config.smallest_size:
            raise ConfigError(
                f"A discriminator of {config.layers} layers needs pictures of at least "
                f"{config.smallest_size} px, got {size}."
            )
    model = export_discriminators(local, global_, size=size, dynamic=dynamic)
    return model, check_discriminators(model, local, global_, size=size)


def _training(provenance: Provenance) -> Training:
    return Training(
        steps=provenance.steps,
        data=provenance.data and encodable(provenance.data),
        config_sha256=provenance.config_sha256,
        checkpoint_sha256=provenance.checkpoint_sha256,
        code_version=metadata.version("ugatit"),
    )


def with_card(manifest: Manifest, files: dict[str, bytes], notes: str | None) -> PreparedBundle:
    """Return a bundle with its model card, which the manifest and the author's notes make."""
    card = write_card(manifest, notes).encode()
    entries: dict[str, FileEntry] = {**manifest.files, CARD: entry_of(card)}
    return PreparedBundle(manifest.model_copy(update={"files": entries}), {**files, CARD: card})
