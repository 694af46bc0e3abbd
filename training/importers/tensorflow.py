"""Read checkpoints of the official TensorFlow implementation into our networks, without TensorFlow."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

import torch

from models.files.text import as_text, quoted
from models.networks.config import DiscriminatorConfig, GeneratorConfig
from models.networks.discriminator import Discriminator
from models.networks.generator import Generator
from training.importers.errors import OfficialCheckpointError
from training.importers.official import DISCRIMINATORS, GENERATORS, OfficialCheckpoint
from training.importers.tensorflow_checkpoint import TensorFlowCheckpoint
from training.importers.tensorflow_entry import shape_text
from training.importers.tensorflow_location import Location, locate
from training.importers.tensorflow_signs import tensorflow_advice
from training.importers.tensorflow_variables import (
    Variable,
    advance_spectral_norm,
    discriminator_variables,
    generator_variables,
)

# generator_B translates into the domain B. discriminator_X judges pictures of the domain X.
_SCOPES: Final = {
    "genA2B": "generator_B",
    "genB2A": "generator_A",
    "disGA": "discriminator_A/global",
    "disLA": "discriminator_A/local",
    "disGB": "discriminator_B/global",
    "disLB": "discriminator_B/local",
}
_BLOCKS: Final = 4
"""Residual blocks. The official code builds no other number: its gamma and beta would not fit."""
_MOST_CHANNELS: Final = 4096
_MOST_LAYERS: Final = 16
_SLOT: Final = re.compile(r".+/Adam(_1)?", re.DOTALL)
_FOLDER: Final = re.compile(r"UGATIT_.+resblock_\d+dis(?:_[\d.]+){5}(?:_sn)?(_smoothing)?(?![^\W\d]|_)")
_OBJECT_BASED: Final = "/.ATTRIBUTES/VARIABLE_VALUE"
"""A part of the variables' names in checkpoints of TensorFlow 2."""

_Network = Generator | Discriminator


def read_tensorflow(
    path: Path,
    *,
    size: int | None = None,
    wanted: Collection[str] = GENERATORS,
    discriminators: bool = True,
    step: int | None = None,
    smoothing: bool | None = None,
) -> OfficialCheckpoint:
    """Read an official TensorFlow checkpoint.

    Memory is that of the networks and of the largest variable.

    Args:
        path: a folder, a prefix such as `UGATIT.model-1000001`, one of its files, or a ZIP archive.
        size: the training size in pixels. A light checkpoint does not record it: None is 256 there, and read
            from the weights' shapes for a full one.
        wanted: the generators to read.
        discriminators: read those that are there.
        step: of the checkpoint in a folder; None for the newest.
        smoothing: whether 0.1 is subtracted from AdaLIN's rho; None to read it from the folder's name.

    Raises:
        OfficialCheckpointError: there is no such checkpoint, it is damaged, or an argument contradicts it.
    """
    found = locate(path, step)
    checkpoint = TensorFlowCheckpoint(found.files, found.prefix)
    scopes = [name for name in GENERATORS if name in wanted]
    scopes += [name for name in DISCRIMINATORS if discriminators and _has(checkpoint, _SCOPES[name])]
    _require_scopes(checkpoint, path, scopes)
    smooth, remark = _smoothing(found, smoothing)
    networks = {name: _network(checkpoint, name, size, smooth) for name in scopes}
    _fill(checkpoint, networks)
    generators = {name: each for name, each in networks.items() if isinstance(each, Generator)}
    return OfficialCheckpoint(
        generators,
        {name: each for name, each in networks.items() if isinstance(each, Discriminator)},
        checkpoint.index_sha256,
        ignored={},
        size_assumed=size is None and any(each.config.light for each in generators.values()),
        steps=None if found.step is None else max(found.step - 1, 0),  # the counter starts at 1
        remarks=(f"Reading {found.files.path(found.prefix)}.", remark),
    )


def recorded_smoothing(path: Path, step: int | None = None) -> bool | None:
    """Return whether the folder's name says that rho is smoothed; None if it is not an official name."""
    return _smoothing_of(locate(path, step))


def _smoothing_of(found: Location) -> bool | None:
    name = _FOLDER.search(found.files.folder)
    return None if name is None else name[1] is not None


def _smoothing(found: Location, given: bool | None) -> tuple[bool, str]:
    """Return whether rho is smoothed, and a sentence that says why."""
    recorded = _smoothing_of(found)
    if given is None and recorded is None:
        raise OfficialCheckpointError(
            f"The folder {quoted(found.files.folder)} does not say whether rho is smoothed: expected a name "
            "such as UGATIT_selfie2anime_lsgan_4resblock_6dis_1_1_10_10_1000_sn_smoothing; add --smoothing, "
            "the official code's default, or --no-smoothing."
        )
    smooth = bool(recorded if given is None else given)
    source = "the folder's name says" if given is None else "the option says"
    how = "AdaLIN uses clip(rho - 0.1, 0, 1)" if smooth else "AdaLIN uses rho as it is"
    return smooth, f"{'Smoothing' if smooth else 'No smoothing'}, as {source}: {how}."


def _has(checkpoint: TensorFlowCheckpoint, scope: str) -> bool:
    return any(name.startswith(f"{scope}/") for name in checkpoint.entries)


def _require_scopes(checkpoint: TensorFlowCheckpoint, path: Path, networks: list[str]) -> None:
    missing = [f"{_SCOPES[name]}/" for name in networks if not _has(checkpoint, _SCOPES[name])]
    if not missing:
        return
    names = [name for name in checkpoint.entries if not _SLOT.fullmatch(name)]
    found = f"{', '.join(map(quoted, names[:3])) or 'no variables'}{', …' * (len(names) > 3)}"
    if any(_OBJECT_BASED in name for name in names):
        found = "an object-based checkpoint of TensorFlow 2"
    raise OfficialCheckpointError(
        f"{as_text(path)} is not a checkpoint of the official TensorFlow U-GAT-IT: expected variables named "
        f"{' and '.join(missing)}…, found {found}; "
        f"{tensorflow_advice(names, but='ugatit') or 'choose another checkpoint'}."
    )


def _network(checkpoint: TensorFlowCheckpoint, name: str, size: int | None, smooth: bool) -> _Network:
    """Return a network without values that the checkpoint's variables fit.

    It takes no memory before all of them are known to be there, because their shapes decide its size.
    """
    with torch.device("meta"):
        network: _Network
        if name in GENERATORS:
            network = Generator(_generator_config(checkpoint, name, size, smooth))
        else:
            network = Discriminator(_discriminator_config(checkpoint, name))
    variables = _variables(name, network)
    checkpoint.require({each: variable.shape for each, variable in variables.items()})
    scope = f"{_SCOPES[name]}/"
    names = [each for each in checkpoint.entries if each.startswith(scope) and not _SLOT.fullmatch(each)]
    if unknown := [each for each in names if each not in variables]:
        raise OfficialCheckpointError(
            f"{name} has {quoted(unknown[0])}: expected the {len(variables)} variables of U-GAT-IT, "
            f"found {len(unknown)} more; choose a checkpoint of the official code."
        )
    return network


def _generator_config(
    checkpoint: TensorFlowCheckpoint, name: str, size: int | None, smooth: bool
) -> GeneratorConfig:
    scope = _SCOPES[name]
    channels = _shape(checkpoint, f"{scope}/conv/conv2d/kernel", 4)[3]
    inputs = _shape(checkpoint, f"{scope}/MLP/linear_0/dense/kernel", 2)[0]
    if not 1 <= channels <= _MOST_CHANNELS:
        raise OfficialCheckpointError(
            f"{name} has {channels} base channels, expected 1 to {_MOST_CHANNELS}; choose another checkpoint."
        )
    light = inputs == 4 * channels
    own_size = 4 * math.isqrt(inputs // (4 * channels))
    if not light and size not in (None, own_size):
        raise OfficialCheckpointError(
            f"{name} is a full generator of {own_size} px, but --size is {size}; leave --size out."
        )
    return GeneratorConfig(
        size=(256 if size is None else size) if light else own_size,
        channels=channels,
        blocks=_BLOCKS,
        light=light,
        shared_cam=True,
        biases=True,
        affine_instance_norm=True,
        smooth_rho=smooth,
        unbiased_variance=False,
        style_width="blocks",
    )


def _discriminator_config(checkpoint: TensorFlowCheckpoint, name: str) -> DiscriminatorConfig:
    scope = _SCOPES[name]
    normalized = f"{scope}/conv_0/kernel" in checkpoint.entries
    first = f"{scope}/conv_0/{'' if normalized else 'conv2d/'}kernel"
    channels = _shape(checkpoint, first, 4)[3]
    strided = {part[1] for each in checkpoint.entries if (part := re.match(rf"{scope}/conv_(\d+)/", each))}
    layers = len(strided) + 2
    if channels > _MOST_CHANNELS or layers > _MOST_LAYERS:
        raise OfficialCheckpointError(
            f"{name} has {channels} base channels and {layers} layers, expected at most {_MOST_CHANNELS} and "
            f"{_MOST_LAYERS}; choose another checkpoint."
        )
    return DiscriminatorConfig(
        channels=channels,
        layers=layers,
        raw_cam_weight=False,
        shared_cam=True,
        spectral_norm=normalized,
        last_bias=True,
        uneven_padding=True,
    )


def _shape(checkpoint: TensorFlowCheckpoint, name: str, dimensions: int) -> tuple[int, ...]:
    """Return the shape of a variable that decides the architecture."""
    entry = checkpoint.entries.get(name)
    if entry is None or len(entry.shape) != dimensions:
        found = "none of that name" if entry is None else f"the shape {shape_text(entry.shape)}"
        raise OfficialCheckpointError(
            f"{checkpoint.index} is not of an official U-GAT-IT network: expected {name} of {dimensions} "
            f"dimensions, found {found}; choose another checkpoint."
        )
    return entry.shape


def _variables(name: str, network: _Network) -> dict[str, Variable]:
    scope = _SCOPES[name]
    if isinstance(network, Generator):
        return generator_variables(scope, network)
    return discriminator_variables(scope, network)


@torch.no_grad()
def _fill(checkpoint: TensorFlowCheckpoint, networks: Mapping[str, _Network]) -> None:
    """Read the values of all networks in the order in which they are stored."""
    variables: dict[str, Variable] = {}
    for name, network in networks.items():
        try:
            network.to_empty(device="cpu").eval()
        except RuntimeError:  # of torch's allocator
            size = sum(each.nbytes for each in network.parameters())
            raise OfficialCheckpointError(
                f"{name} needs {size / 1e9:.1f} GB of memory, found less."
            ) from None
        variables |= _variables(name, network)
    for name, values in checkpoint.tensors({name: each.shape for name, each in variables.items()}):
        variables[name].fill(torch.from_numpy(values))
    for network in networks.values():
        if isinstance(network, Discriminator):
            advance_spectral_norm(network)
