"""Read official checkpoints of U-GAT-IT as translators."""

from __future__ import annotations

from torch import nn

from models.files.text import as_text
from training.importers.errors import OfficialCheckpointError
from training.importers.read import read_checkpoint
from training.methods.importing import Imported, ImportRequest
from training.methods.ugatit.translators import translators


def import_official(request: ImportRequest) -> Imported:
    """Return the translators of a PyTorch file or of a TensorFlow checkpoint.

    Raises:
        OfficialCheckpointError: it is no such checkpoint, or an option contradicts it.
    """
    if len(request.paths) != 1:
        raise OfficialCheckpointError(
            f"An official checkpoint of U-GAT-IT is one file, got {len(request.paths)}; give one of them."
        )
    official = read_checkpoint(
        request.paths[0],
        size=request.size,
        wanted=[f"gen{direction}" for direction in request.directions],
        discriminators=request.discriminators,
        step=request.step,
        smoothing=request.smoothing,
    )
    networks: dict[str, nn.Module] = {**official.generators, **official.discriminators}
    found = [each for each in translators(networks) if each.direction in request.directions]
    for each in found:
        if request.discriminators and each.export_discriminators is None:
            raise OfficialCheckpointError(
                f"{as_text(request.paths[0])} has no discriminators for gen{each.direction}; leave "
                "--discriminators out."
            )
    return Imported(
        found,
        official.sha256,
        steps=official.steps,
        assumed_size=found[0].size.height if official.size_assumed else None,
        ignored=official.ignored,
        remarks=official.remarks,
    )
