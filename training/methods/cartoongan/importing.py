"""Read released models of CartoonGAN as translators: its author's, and those of the port."""

from __future__ import annotations

from typing import Final

from models.networks.cartoongan import CartoonganGenerator
from training.importers.cartoongan import cartoongan_generator, is_authors, swap_red_and_blue
from training.importers.errors import OfficialCheckpointError
from training.importers.state_file import StateFile, read_state_file, tensors_of
from training.methods.cartoongan.translators import CARTOONS, GENERATOR, PHOTOS, translators
from training.methods.importing import Imported, ImportRequest

SIZE: Final = 256
"""Side of the pictures of both codes; a file does not record it."""
EXPECTED: Final = "a generator of CartoonGAN"
FIRST: Final = ("conv01_1.weight", "down_convs.0.weight")
"""The first kernel of the author's and of the port's generator."""


def import_official(request: ImportRequest) -> Imported:
    """Return the translator of a state dict of the author's or the port's generator.

    Raises:
        OfficialCheckpointError: it is no such file, or an option contradicts it.
    """
    if len(request.paths) != 1:
        raise OfficialCheckpointError(
            f"A generator of CartoonGAN is one file, got {len(request.paths)}; give one of them."
        )
    if set(request.directions) != {f"{PHOTOS}2{CARTOONS}"}:
        raise OfficialCheckpointError(
            "CartoonGAN translates photos into cartoons only; add --only "
            f"{PHOTOS.lower()}2{CARTOONS.lower()}, and a name for that direction."
        )
    file = read_state_file(request.paths[0], EXPECTED)
    generator, remarks = _generator(file)
    return Imported(
        translators({GENERATOR: generator}, size=request.size or SIZE),
        file.sha256,
        assumed_size=SIZE if request.size is None else None,
        remarks=remarks,
    )


def _generator(file: StateFile) -> tuple[CartoonganGenerator, tuple[str, ...]]:
    if not any(str(name).endswith(FIRST) for name in file.content):
        raise file.error(EXPECTED)
    state = tensors_of(file, file.content, EXPECTED)
    generator = cartoongan_generator("The generator", state)
    if not is_authors(state):
        return generator, ("Reading a generator of the port.",)
    swap_red_and_blue(generator)
    return generator, ("Reading a generator of the author, whose pictures are BGR: its kernels become RGB.",)
