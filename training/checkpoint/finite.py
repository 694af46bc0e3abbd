"""Find values of a checkpoint that are not finite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from safetensors import safe_open
from torch import Tensor

from models.files.utf8_path import utf8_path
from training.checkpoint.content import Checkpoint
from training.checkpoint.errors import CheckpointError
from training.checkpoint.manifest import TENSORS_ENDING, Manifest

_MAX_NAMED: Final = 3
"""Tensors that a message names."""


def refuse_non_finite(checkpoint: Checkpoint, where: str | None = None) -> None:
    """Check that every tensor of a checkpoint is finite.

    Args:
        checkpoint: the state.
        where: the name of the checkpoint in the message; by default its step.

    Raises:
        CheckpointError: it holds NaN or infinity; the message names the first tensors.
    """
    found = [
        f"{group}/{name}"
        for group, tensors in checkpoint.tensors.items()
        for name, tensor in tensors.items()
        if not tensor_is_finite(tensor)
    ]
    if found:
        more = f" and {len(found) - _MAX_NAMED} more" if len(found) > _MAX_NAMED else ""
        raise CheckpointError(
            f"{where or f'The state of step {checkpoint.step}'} holds values that are not finite, "
            f"in {', '.join(found[:_MAX_NAMED])}{more}."
        )


def is_finite(path: Path, manifest: Manifest) -> bool:
    """Return whether every tensor of a verified checkpoint on the disk is finite, reading one at a time."""
    return all(map(tensor_is_finite, _tensors(path, manifest)))


def _tensors(path: Path, manifest: Manifest) -> Iterator[Tensor]:
    for file in manifest.files:
        if file.endswith(TENSORS_ENDING):
            with utf8_path(path / file) as name, safe_open(name, "pt") as tensors:
                yield from (tensors.get_tensor(key) for key in tensors.keys())  # noqa: SIM118


def tensor_is_finite(tensor: Tensor) -> bool:
    """Return whether a tensor holds neither NaN nor infinity; only floating point can hold them."""
    return not tensor.is_floating_point() or bool(tensor.isfinite().all())
