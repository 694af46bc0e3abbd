"""Read official checkpoints of AGGAN as translators."""

from __future__ import annotations

from training.importers.aggan import read_aggan
from training.importers.errors import OfficialCheckpointError
from training.methods.aggan.translators import translators
from training.methods.importing import Imported, ImportRequest

_SIZE = 256
"""Side of the pictures of the official code; a checkpoint does not record it."""


def import_official(request: ImportRequest) -> Imported:
    """Return the translators of a TensorFlow checkpoint of AGGAN.

    Raises:
        OfficialCheckpointError: it is no such checkpoint, or an option contradicts it.
    """
    if len(request.paths) != 1:
        raise OfficialCheckpointError(
            f"A checkpoint of AGGAN is one folder, prefix or archive, got {len(request.paths)}; give one."
        )
    if request.smoothing is not None:
        raise OfficialCheckpointError("--smoothing is for U-GAT-IT, and this is AGGAN; leave it out.")
    official = read_aggan(request.paths[0], wanted=request.directions, step=request.step)
    return Imported(
        translators(official.generators, size=request.size or _SIZE),
        official.sha256,
        assumed_size=_SIZE if request.size is None else None,
        remarks=official.remarks,
    )
