"""Where a run's first weights come from, if not from chance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from models.networks.config import ConfigError
from training.checkpoint.content import Checkpoint, split_group
from training.checkpoint.finite import tensor_is_finite
from training.checkpoint.read import load, load_newest
from training.importers.pytorch import read_official
from training.run_folder.folder import RunFolder

Weights = dict[str, dict[str, Tensor]]
"""The state of each network by name."""


def read_initial(path: Path, networks: Mapping[str, nn.Module], *, size: int) -> Weights:
    """The weights of a checkpoint that fit these networks.

    Args:
        path: an official `.pt`, a run's folder (its newest checkpoint that verifies), or one checkpoint's.
            Where a run keeps an average of its generators, that is what is read.
        networks: which are to have the weights; an official file may lack some of them.
        size: the side of the pictures in pixels, which a light official file does not tell.

    Raises:
        CheckpointError: there is no such checkpoint.
        ConfigError: its networks are others, naming the first difference, or a value is not finite.
    """
    weights = _of_ours(path) if path.is_dir() else _of_official(path, size)
    for name, found in weights.items():
        if name not in networks:
            raise ConfigError(f"{path} has a network {name}, which this run does not have.")
        refuse_misfit(str(path), name, found, networks[name].state_dict())
        for key, value in found.items():
            if not tensor_is_finite(value):
                raise ConfigError(f"{path} cannot be started from: {name}'s {key} is not finite.")
    return weights


def _of_ours(path: Path) -> Weights:
    run = RunFolder(path)
    checkpoint = load_newest(run.checkpoints)[0] if run.checkpoints.is_dir() else load(path)
    names = {key.partition("/")[0] for key in checkpoint.tensors["networks"]}
    return {name: trained_weights(checkpoint, name) for name in sorted(names)}


def trained_weights(checkpoint: Checkpoint, name: str, *, raw: bool = False) -> dict[str, Tensor]:
    """A network's averaged weights where there are any, its own where not, or where those are asked for."""
    averaged = split_group(checkpoint.tensors.get("average", {}), name)
    return averaged if averaged and not raw else split_group(checkpoint.tensors["networks"], name)


def _of_official(path: Path, size: int) -> Weights:
    official = read_official(path, size=size)
    networks = {**official.generators, **official.discriminators}
    return {name: network.state_dict() for name, network in networks.items()}


def refuse_misfit(
    source: str, network: str, found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]
) -> None:
    """See that weights are those of such a network.

    Raises:
        ConfigError: they are of another, naming where they come from and the first difference.
    """
    for name in [*wanted, *found]:
        there, here = (_shape(weights.get(name)) for weights in (found, wanted))
        if there != here:
            raise ConfigError(
                f"{source} does not fit this run: {network}'s {name} is {there} there and {here} here."
            )


def _shape(value: Tensor | None) -> str:
    if value is None:
        return "missing"
    return " x ".join(map(str, value.shape)) or "one number"
