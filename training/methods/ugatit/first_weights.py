"""Read the weights of an official checkpoint for a new run, after comparing its switches."""

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
from training.importers.official import OfficialCheckpoint
from training.importers.pytorch import read_official
from training.importers.tensorflow import read_tensorflow, recorded_smoothing
from training.importers.tensorflow_location import is_tensorflow

Weights = dict[str, dict[str, Tensor]]
"""The state of each network by name."""


def read_official_weights(path: Path, networks: Mapping[str, nn.Module], *, size: int) -> Weights:
    """Return the weights of an official checkpoint of PyTorch or TensorFlow.

    Args:
        path: the checkpoint.
        networks: the networks that get the weights; the checkpoint may lack some of them.
        size: the side of the pictures in pixels, which a light checkpoint does not record.

    Raises:
        OfficialCheckpointError: there is no such checkpoint.
        ConfigError: a switch differs, which no shape shows.
    """
    if is_tensorflow(path):
        return _of_tensorflow(path, networks, size)
    return _states(read_official(path, size=size))


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
