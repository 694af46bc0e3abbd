"""Import the files of UNIT and MUNIT."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from torch import nn

from models.files.text import as_text
from training.export.translator import Translator
from training.importers.domain_files import DomainFiles
from training.importers.errors import OfficialCheckpointError
from training.methods.importing import Imported, ImportRequest

_SIZE: Final = 256
"""The official training size in pixels, which no file records."""


class MakeTranslators(Protocol):
    """Returns the translators of networks by name."""

    def __call__(self, networks: Mapping[str, nn.Module], *, size: int) -> Sequence[Translator]: ...


def imported(
    request: ImportRequest, read: Callable[[Sequence[Path]], DomainFiles], translators: MakeTranslators
) -> Imported:
    """Return the translators of the wanted directions.

    Raises:
        OfficialCheckpointError: a file is no such checkpoint, or an option contradicts it.
    """
    for option, given in (("--step", request.step), ("--smoothing", request.smoothing)):
        if given is not None:
            raise OfficialCheckpointError(f"{option} is for TensorFlow checkpoints; leave {option} out.")
    files = read(request.paths)
    found = translators(files.networks, size=request.size or _SIZE)
    if not found:
        raise OfficialCheckpointError(
            f"{', '.join(map(as_text, request.paths))} has only discriminators; give the gen_*.pt too."
        )
    judged = any(name.startswith("dis_") for name in files.networks)
    return Imported(
        [each for each in found if each.direction in request.directions],
        files.sha256,
        steps=files.steps,
        assumed_size=None if request.size else _SIZE,
        remarks=["The discriminators are read, and no bundle holds them."] if judged else [],
    )
