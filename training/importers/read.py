"""Read an official checkpoint of either implementation, recognised by its content."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from models.files.text import as_text
from training.importers.errors import OfficialCheckpointError
from training.importers.official import GENERATORS, OfficialCheckpoint
from training.importers.pytorch import read_official
from training.importers.tensorflow import read_tensorflow
from training.importers.tensorflow_location import is_tensorflow


def read_checkpoint(
    path: Path,
    *,
    size: int | None = None,
    wanted: Collection[str] = GENERATORS,
    discriminators: bool = True,
    step: int | None = None,
    smoothing: bool | None = None,
) -> OfficialCheckpoint:
    """Read a PyTorch file or a TensorFlow checkpoint.

    Args:
        path: a file of `torch.save`; or the folder, prefix, file or ZIP archive of a TensorFlow checkpoint.
        size: the training size in pixels, which a light checkpoint does not record; None for 256 there.
        wanted: the generators to read.
        discriminators: also read those that are there; those of a PyTorch file are always read.
        step: of a TensorFlow checkpoint; None for the newest.
        smoothing: of a TensorFlow checkpoint's rho; None to read it from the folder's name.

    Raises:
        OfficialCheckpointError: it is no such checkpoint, or an argument contradicts it.
    """
    if is_tensorflow(path):
        return read_tensorflow(
            path, size=size, wanted=wanted, discriminators=discriminators, step=step, smoothing=smoothing
        )
    if path.is_dir():
        raise OfficialCheckpointError(
            f"{as_text(path)} has no TensorFlow checkpoint: expected an .index file and its .data files, "
            "found neither in this folder nor below; give the checkpoint's folder, or a PyTorch file."
        )
    official = read_official(path, size=size, wanted=wanted)
    for name, value in (("--step", step), ("--smoothing", smoothing)):
        if value is not None:
            raise OfficialCheckpointError(
                f"{name} is for TensorFlow checkpoints, and {as_text(path)} is none; leave {name} out."
            )
    return official
