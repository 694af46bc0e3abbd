"""Read checkpoints of AGGAN's official TensorFlow implementation into our networks, without TensorFlow."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import torch
from torch import nn

from models.files.text import as_text, quoted
from models.networks.aggan import (
    AgganDiscriminator,
    AgganDiscriminatorConfig,
    AgganGenerator,
    AgganGeneratorConfig,
)
from training.importers.aggan_variables import AgganNetwork, aggan_variables, unused_variables
from training.importers.errors import OfficialCheckpointError
from training.importers.state_file import advice_about
from training.importers.tensorflow_checkpoint import TensorFlowCheckpoint
from training.importers.tensorflow_location import is_tensorflow, locate
from training.importers.tensorflow_signs import tensorflow_advice
from training.importers.tensorflow_variables import Variable

# g_A translates domain A, masked by g_A_ae. d_A judges pictures of domain A.
GENERATORS: Final = {"A2B": "Model/g_A", "B2A": "Model/g_B"}
DISCRIMINATORS: Final = {"A": "Model/d_A", "B": "Model/d_B"}
_ATTENTION: Final = "_ae"
_MOST_CHANNELS: Final = 4096
_MOST_BLOCKS: Final = 100
_SLOT: Final = re.compile(r".+/Adam(_1)?", re.DOTALL)


class AgganCheckpoint(NamedTuple):
    """The networks of an official checkpoint, in evaluation mode."""

    generators: dict[str, nn.Module]
    """The wanted ones of genA2B, genB2A."""
    discriminators: dict[str, nn.Module]
    """disA and disB, where the checkpoint has them."""
    sha256: str
    """Of the index, which has the checksum of every tensor."""
    remarks: tuple[str, ...]
    """Sentences about what was read."""


def read_aggan(
    path: Path,
    *,
    wanted: Collection[str] = tuple(GENERATORS),
    discriminators: bool = False,
    step: int | None = None,
) -> AgganCheckpoint:
    """Read an official TensorFlow checkpoint of AGGAN.

    Args:
        path: a folder, a prefix such as `AGGAN-99`, one of its files, or a ZIP archive.
        wanted: the directions whose generators are read.
        discriminators: also read those that are there.
        step: of the checkpoint in a folder: the number in its name, an epoch; None for the newest.

    Raises:
        OfficialCheckpointError: there is no such checkpoint, or it is damaged.
    """
    if not is_tensorflow(path):
        raise OfficialCheckpointError(
            f"{as_text(path)} is no TensorFlow checkpoint: expected the folder or prefix of an AGGAN "
            "checkpoint, with an .index file and its .data files; "
            f"{advice_about(path) or 'give that folder'}."
        )
    found = locate(path, step)
    checkpoint = TensorFlowCheckpoint(found.files, found.prefix)
    _require_scopes(checkpoint, path, [GENERATORS[direction] for direction in wanted])
    with torch.device("meta"):  # shapes decide the size, so memory is taken after they are checked
        networks: dict[str, nn.Module] = {
            f"gen{direction}": AgganGenerator(_generator_config(checkpoint, GENERATORS[direction]))
            for direction in GENERATORS
            if direction in wanted
        }
        judges: dict[str, nn.Module] = {
            f"dis{domain}": AgganDiscriminator(_discriminator_config(checkpoint, scope))
            for domain, scope in DISCRIMINATORS.items()
            if discriminators and _has(checkpoint, scope)
        }
    _fill(checkpoint, {**networks, **judges})
    return AgganCheckpoint(
        networks, judges, checkpoint.index_sha256, _remarks(found.files.path(found.prefix))
    )


def _remarks(path: str) -> tuple[str, ...]:
    return (
        f"Reading {path}.",
        "A is the domain that the checkpoint's g_A translates; in the released horse2zebra weights, A is "
        "zebra.",
    )


def _require_scopes(checkpoint: TensorFlowCheckpoint, path: Path, scopes: list[str]) -> None:
    missing = [f"{scope}/" for scope in scopes if not _has(checkpoint, scope)]
    if not missing:
        return
    names = [name for name in checkpoint.entries if not _SLOT.fullmatch(name)]
    advice = tensorflow_advice(names, but="aggan") or "choose another checkpoint"
    found = f"{', '.join(map(quoted, names[:3])) or 'no variables'}{', …' * (len(names) > 3)}"
    raise OfficialCheckpointError(
        f"{as_text(path)} is not a checkpoint of AGGAN: expected variables named {' and '.join(missing)}…, "
        f"found {found}; {advice}."
    )


def _has(checkpoint: TensorFlowCheckpoint, scope: str) -> bool:
    return any(name.startswith(f"{scope}/") for name in checkpoint.entries)


def _generator_config(checkpoint: TensorFlowCheckpoint, scope: str) -> AgganGeneratorConfig:
    blocks = {found[1] for name in checkpoint.entries if (found := re.match(rf"{scope}/r(\d+)/", name))}
    if len(blocks) > _MOST_BLOCKS:
        raise OfficialCheckpointError(
            f"{checkpoint.index} has {len(blocks)} residual blocks in {scope}, expected at most "
            f"{_MOST_BLOCKS}; choose another checkpoint."
        )
    return AgganGeneratorConfig(channels=_channels(checkpoint, scope), blocks=max(1, len(blocks)))


def _discriminator_config(checkpoint: TensorFlowCheckpoint, scope: str) -> AgganDiscriminatorConfig:
    return AgganDiscriminatorConfig(channels=_channels(checkpoint, scope))


def _channels(checkpoint: TensorFlowCheckpoint, scope: str) -> int:
    """Return the base channels: the outputs of the first kernel, [h, w, in, out]."""
    name = f"{scope}/c1/Conv/weights"
    entry = checkpoint.entries.get(name)
    if entry is None or len(entry.shape) != 4 or not 1 <= entry.shape[3] <= _MOST_CHANNELS:
        found = "none of that name" if entry is None else f"the shape {list(entry.shape)}"
        raise OfficialCheckpointError(
            f"{checkpoint.index} is not of AGGAN: expected {name} with 1 to {_MOST_CHANNELS} outputs, found "
            f"{found}; choose another checkpoint."
        )
    return entry.shape[3]


def _parts(name: str, network: nn.Module) -> dict[str, AgganNetwork]:
    """Return the official networks that one of ours consists of, by scope."""
    if isinstance(network, AgganGenerator):
        scope = GENERATORS[name.removeprefix("gen")]
        return {scope: network.whole_picture, f"{scope}{_ATTENTION}": network.attention}
    assert isinstance(network, AgganDiscriminator)
    return {DISCRIMINATORS[name.removeprefix("dis")]: network}


@torch.no_grad()
def _fill(checkpoint: TensorFlowCheckpoint, networks: Mapping[str, nn.Module]) -> None:
    """Read the values of all networks in the order in which they are stored."""
    for name, network in networks.items():
        for scope, part in _parts(name, network).items():
            _check(checkpoint, scope, part)
    variables: dict[str, Variable] = {}
    for name, network in networks.items():
        network.to_empty(device="cpu").eval()
        for scope, part in _parts(name, network).items():
            variables |= aggan_variables(scope, part)
    for name, values in checkpoint.tensors({name: each.shape for name, each in variables.items()}):
        variables[name].fill(torch.from_numpy(values))


def _check(checkpoint: TensorFlowCheckpoint, scope: str, network: AgganNetwork) -> None:
    """Check that a network's variables are there with the right shapes, and no others."""
    variables = aggan_variables(scope, network)
    checkpoint.require({name: each.shape for name, each in variables.items()}, of="AGGAN")
    known = variables.keys() | unused_variables(scope, network)
    names = [
        name for name in checkpoint.entries if name.startswith(f"{scope}/") and not _SLOT.fullmatch(name)
    ]
    if unknown := [name for name in names if name not in known]:
        raise OfficialCheckpointError(
            f"{scope} has {quoted(unknown[0])}: expected the {len(variables)} variables of AGGAN, found "
            f"{len(unknown)} more; choose a checkpoint of the official code."
        )
