"""Read official checkpoints of UNIT as translators, and as first weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from training.importers.domain_files import DomainFiles, read_domain_files
from training.importers.munit import unit_generator
from training.methods.encoder_decoder.importing import imported
from training.methods.importing import Imported, ImportRequest
from training.methods.unit.translators import translators


def import_official(request: ImportRequest) -> Imported:
    """Return the translators of a `gen_XXXXXXXX.pt`; a `dis_XXXXXXXX.pt` may be given too.

    Raises:
        OfficialCheckpointError: a file is no such checkpoint, or an option contradicts it.
    """
    return imported(request, _read, translators)


def read_official_weights(
    path: Path,
    networks: Mapping[str, nn.Module],  # noqa: ARG001
    *,
    size: int,  # noqa: ARG001
) -> dict[str, dict[str, Tensor]]:
    """Return the weights of the generators or of the discriminators, by our names.

    Raises:
        OfficialCheckpointError: the file is no such checkpoint.
    """
    return {name: network.state_dict() for name, network in _read([path]).networks.items()}


def _read(paths: Sequence[Path]) -> DomainFiles:
    return read_domain_files(paths, method="UNIT", sign="enc.", generator=unit_generator)
