"""Read official checkpoints of DRIT as translators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from training.importers.drit import IMAGE_DISCRIMINATORS, drit_networks
from training.importers.errors import OfficialCheckpointError
from training.importers.state_file import StateFile, read_state_file, tensors_of
from training.methods.drit.translators import ATTRIBUTE, CONTENT, GENERATOR, translators
from training.methods.importing import Imported, ImportRequest

SIZE: Final = 216
"""Side of the official training pictures; a file does not record it."""
EXPECTED: Final = "a checkpoint of DRIT"
NEEDED: Final = ("enc_c", "enc_a", "gen")
NETWORKS: Final = (*NEEDED, *IMAGE_DISCRIMINATORS, "disContent")


def import_official(request: ImportRequest) -> Imported:
    """Return the translators of an official file; its `gen` says which mode it is of.

    Raises:
        OfficialCheckpointError: it is no such file, or an option contradicts it.
    """
    if len(request.paths) != 1:
        raise OfficialCheckpointError(
            f"A checkpoint of DRIT is one file, got {len(request.paths)}; give one of them."
        )
    file = read_state_file(request.paths[0], EXPECTED)
    networks = drit_networks(_states(file))
    size = request.size or SIZE
    found = translators(
        {CONTENT: networks.encoder, ATTRIBUTE: networks.attribute, GENERATOR: networks.generator},
        networks.config,
        size,
    )
    return Imported(
        [each for each in found if each.direction in request.directions],
        file.sha256,
        assumed_size=SIZE if request.size is None else None,
        ignored={name: type(file.content[name]).__name__ for name in file.content if name not in NETWORKS},
        remarks=(f"Reading a checkpoint of the mode {networks.config.mode}.",),
    )


def _states(file: StateFile) -> Mapping[str, Any]:
    if any(name not in file.content for name in NEEDED):
        raise file.error(EXPECTED)
    return {name: tensors_of(file, file.content[name], EXPECTED) for name in NETWORKS if name in file.content}
