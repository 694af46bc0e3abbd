"""Read the first weights of a run from a checkpoint, and check that weights fit the networks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from models.networks.config import ConfigError
from models.networks.discriminator import Discriminator
from models.networks.generator import Generator
from training.checkpoint.content import Checkpoint, split_group
from training.checkpoint.finite import tensor_is_finite
from training.checkpoint.read import load, load_newest
from training.importers.official import OfficialCheckpoint
from training.importers.pytorch import read_official
from training.importers.tensorflow import read_tensorflow, recorded_smoothing
from training.importers.tensorflow_location import is_tensorflow
from training.run_folder.folder import RunFolder

Weights = dict[str, dict[str, Tensor]]
"""The state of each network by name."""


def read_initial(path: Path, networks: Mapping[str, nn.Module], *, size: int) -> Weights:
    """Return the weights of a checkpoint, after checking that they fit these networks.

    Args:
        path: an official checkpoint of PyTorch or TensorFlow, a run's folder (its newest checkpoint that
            verifies), or the folder of one checkpoint. If a run keeps a running average of its generators,
            the average is read.
        networks: the networks that get the weights; an official file may lack some of them.
        size: the side of the pictures in pixels, which a light official checkpoint does not record.

    Raises:
        CheckpointError, OfficialCheckpointError: there is no such checkpoint.
        ConfigError: its networks differ (the message names the first difference), or a value is not finite.
    """
    if is_tensorflow(path):
        weights = _of_tensorflow(path, networks, size)
    else:
        weights = _of_ours(path) if path.is_dir() else _states(read_official(path, size=size))
    for name, found in weights.items():
        if name not in networks:
            raise ConfigError(
                f"{path} contains the network {name}, which this run lacks; choose another checkpoint."
            )
        refuse_mismatch(str(path), name, found, networks[name].state_dict())
        for key, value in found.items():
            if not tensor_is_finite(value):
                raise ConfigError(
                    f"{path} has values that are not finite, in {key} of {name}; choose another checkpoint."
                )
    return weights


def _of_ours(path: Path) -> Weights:
    run = RunFolder(path)
    checkpoint = load_newest(run.checkpoints)[0] if run.checkpoints.is_dir() else load(path)
    names = {key.partition("/")[0] for key in checkpoint.tensors["networks"]}
    return {name: trained_weights(checkpoint, name) for name in sorted(names)}


def trained_weights(checkpoint: Checkpoint, name: str, *, raw: bool = False) -> dict[str, Tensor]:
    """Return a network's averaged weights; its raw weights if there is no average, or with `raw`."""
    averaged = split_group(checkpoint.tensors.get("average", {}), name)
    return averaged if averaged and not raw else split_group(checkpoint.tensors["networks"], name)


def _of_tensorflow(path: Path, networks: Mapping[str, nn.Module], size: int) -> Weights:
    """Return the weights of a TensorFlow checkpoint, after comparing its switches, which no shape shows."""
    smooth = any(isinstance(each, Generator) and each.config.smooth_rho for each in networks.values())
    recorded = recorded_smoothing(path)
    official = read_tensorflow(path, size=size, smoothing=smooth if recorded is None else recorded)
    read: dict[str, Generator | Discriminator] = {**official.generators, **official.discriminators}
    for name, network in read.items():
        ours = networks.get(name)
        if isinstance(ours, Generator | Discriminator):
            _refuse_other_switches(path, name, asdict(network.config), asdict(ours.config))
    return _states(official)


def _refuse_other_switches(path: Path, name: str, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    if different := [key for key, value in found.items() if value != wanted[key]]:
        values = ", ".join(f"{key} = {json.dumps(found[key])}" for key in different)
        raise ConfigError(
            f"{path} does not fit this run: expected {name} with {values}, got "
            f"{', '.join(json.dumps(wanted[key]) for key in different)}; use --preset paper, and --set "
            "for the rest."
        )


def _states(official: OfficialCheckpoint) -> Weights:
    networks = {**official.generators, **official.discriminators}
    return {name: network.state_dict() for name, network in networks.items()}


def refuse_mismatch(
    source: str, network: str, found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]
) -> None:
    """Check that weights have the names and shapes of a network.

    Raises:
        ConfigError: they differ; the message names their source and the first difference.
    """
    for name in [*wanted, *found]:
        there, here = (_shape(weights.get(name)) for weights in (found, wanted))
        if there != here:
            raise ConfigError(
                f"{source} does not fit this run: expected {name} of {network} to be {here}, got {there}."
            )


def _shape(value: Tensor | None) -> str:
    if value is None:
        return "missing"
    return " x ".join(map(str, value.shape)) or "one number"
