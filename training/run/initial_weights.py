"""Read the first weights of a run from a checkpoint, and check that weights fit the networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor, nn

from models.networks.config import ConfigError
from training.checkpoint.content import Checkpoint, split_group
from training.checkpoint.finite import tensor_is_finite
from training.checkpoint.read import load, load_newest
from training.methods.kind import MethodKind
from training.run_folder.folder import RunFolder

Weights = dict[str, dict[str, Tensor]]
"""The state of each network by name."""


def read_initial(
    kind: MethodKind,
    path: Path,
    networks: Mapping[str, nn.Module],
    *,
    size: int,
    remark: Callable[[str], None] = lambda _: None,
) -> Weights:
    """Return the weights of a checkpoint, after checking that they fit these networks.

    Optional networks of the method that the new run lacks are left out.

    Args:
        kind: the method of the new run.
        path: an official checkpoint of the method, a run's folder (its newest checkpoint that verifies), or
            the folder of one checkpoint. If a run keeps a running average of its generators, the average is
            read.
        networks: the networks that get the weights; an official file may lack some of them.
        size: the side of the pictures in pixels, which a light official checkpoint does not record.
        remark: gets a sentence that names the networks that are left out, if there are any.

    Raises:
        CheckpointError, OfficialCheckpointError: there is no such checkpoint.
        ConfigError: its networks differ (the message names the first difference), or a value is not finite.
    """
    if path.is_dir() and not kind.official_folder(path):
        weights = _of_ours(path)
    else:
        weights = _of_official(kind, path, networks, size)
    unused = [name for name in weights if name not in networks and name in kind.optional_networks]
    if unused:
        remark(f"{path} also contains {', '.join(unused)}, which this run does not use.")
    used = {name: found for name, found in weights.items() if name not in unused}
    for name, found in used.items():
        if name not in networks:
            raise ConfigError(
                f"{path} contains the network {name}, which this run lacks; choose another checkpoint, or "
                "the config of its run."
            )
        refuse_mismatch(str(path), name, found, networks[name].state_dict())
        for key, value in found.items():
            if not tensor_is_finite(value):
                raise ConfigError(
                    f"{path} has values that are not finite, in {key} of {name}; choose another checkpoint."
                )
    return used


def _of_official(kind: MethodKind, path: Path, networks: Mapping[str, nn.Module], size: int) -> Weights:
    if kind.read_official is None:
        raise ConfigError(
            f"{path} is not a run, and official checkpoints of {kind.name} cannot be read; give a run's "
            "folder."
        )
    return kind.read_official(path, networks, size=size)


def _of_ours(path: Path) -> Weights:
    run = RunFolder(path)
    checkpoint = load_newest(run.checkpoints)[0] if run.checkpoints.is_dir() else load(path)
    names = {key.partition("/")[0] for key in checkpoint.tensors["networks"]}
    return {name: trained_weights(checkpoint, name) for name in sorted(names)}


def trained_weights(checkpoint: Checkpoint, name: str, *, raw: bool = False) -> dict[str, Tensor]:
    """Return a network's averaged weights; its raw weights if there is no average, or with `raw`."""
    averaged = split_group(checkpoint.tensors.get("average", {}), name)
    return averaged if averaged and not raw else split_group(checkpoint.tensors["networks"], name)


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
