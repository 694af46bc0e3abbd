"""From networks in memory to verified bundles on disk."""

from __future__ import annotations

import copy
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import NamedTuple, TypeVar

from models.bundle.canary import read_canary, smooth_picture, write_canary
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
from training.export.parity import prove_discriminators, prove_generator, translate
from training.export.precision import measure_float16

Network = TypeVar("Network", Generator, Discriminator)


class Facts(NamedTuple):
    """What is known about the weights beyond the weights."""

    steps: int | None = None
    data: str | None = None
    licence: str = "not recorded"
    limits: str = "not recorded"
    notes: str | None = None
    """Markdown for the model card."""
    checkpoint_sha256: str | None = None
    config_sha256: str | None = None


class Judges(NamedTuple):
    """The discriminators of a direction's target domain."""

    local: Discriminator
    global_: Discriminator


class PreparedBundle(NamedTuple):
    """A bundle in memory, proved and complete."""

    manifest: Manifest
    files: dict[str, bytes]

    def write(self, bundles: Path) -> Path:
        """Write it below `bundles` and return its directory."""
        path = bundles / self.manifest.direction
        write_bundle(path, self.manifest, self.files)
        return path


def prepare_bundle(
    direction: str,
    generator: Generator,
    *,
    judges: Judges | None = None,
    facts: Facts | None = None,
    precisions: bool = False,
) -> PreparedBundle:
    """Export a generator, and the discriminators that judge it, and prove them against torch in float64.

    Args:
        direction: its name.
        generator: what translates.
        judges: the discriminators of its pictures.
        facts: what else the manifest tells.
        precisions: also measure how far float16 would be.

    Raises:
        BundleError: `direction` is not of the form SOURCE2TARGET.
        ConfigError: the discriminators have no attention, or cannot judge pictures as small as these.
        ParityError: an exported graph does not compute what torch computes.
    """
    facts = facts or Facts()
    source, target = split_direction(direction)
    exact = _in_float64(generator)
    model = export_generator(exact)
    parity = prove_generator(model, exact)
    files = {GENERATOR: model, CANARY: _canary(exact)}
    architecture = asdict(generator.config)
    if judges is not None:
        files[DISCRIMINATORS], off = _discriminators(judges, generator)
        parity = parity.model_copy(update={"discriminators_relative": off})
        architecture["discriminators"] = {
            name: asdict(network.config)
            for name, network in (("local", judges.local), ("global", judges.global_))
        }
    size = generator.config.size
    manifest = Manifest(
        format=FORMAT,
        direction=direction,
        source=source,
        target=target,
        image=ImageSize(height=size, width=size, fixed=not generator.config.light),
        method="ugatit",
        architecture=architecture,
        attention=generator.cam is not None,
        training=_training(facts),
        licence=encodable(facts.licence),
        limits=encodable(facts.limits),
        parity=parity,
        precisions={"float16": measure_float16(model, read_canary(files[CANARY]))} if precisions else {},
        files={name: entry_of(data) for name, data in files.items()},
    )
    return _with_card(manifest, files, facts.notes)


def _in_float64(network: Network) -> Network:
    return copy.deepcopy(network).double().eval()


def _canary(exact: Generator) -> bytes:
    size = exact.config.size
    pixels = smooth_picture(size, size, seed=0)[None]
    return write_canary(pixels, translate(exact, pixels))


def _discriminators(judges: Judges, generator: Generator) -> tuple[bytes, float]:
    local, global_ = _in_float64(judges.local), _in_float64(judges.global_)
    size, dynamic = generator.config.size, generator.config.light
    for judge in (local.config, global_.config):
        if not judge.cam:
            raise ConfigError("A discriminator without a CAM has no attention to show; leave it out.")
        if size < judge.smallest_size:
            least = judge.smallest_size
            raise ConfigError(
                f"A discriminator of {judge.layers} layers needs pictures of at least {least} px, not {size}."
            )
    model = export_discriminators(local, global_, size=size, dynamic=dynamic)
    return model, prove_discriminators(model, local, global_, size=size)


def _training(facts: Facts) -> Training:
    return Training(
        steps=facts.steps,
        data=facts.data and encodable(facts.data),
        config_sha256=facts.config_sha256,
        checkpoint_sha256=facts.checkpoint_sha256,
        code_version=metadata.version("ugatit"),
    )


def _with_card(manifest: Manifest, files: dict[str, bytes], notes: str | None) -> PreparedBundle:
    card = write_card(manifest, notes).encode()
    entries: dict[str, FileEntry] = {**manifest.files, CARD: entry_of(card)}
    return PreparedBundle(manifest.model_copy(update={"files": entries}), {**files, CARD: card})
