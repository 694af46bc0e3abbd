"""Measure how the faces lie in the training pictures that a direction translates, for its manifest."""

from __future__ import annotations

from collections.abc import Iterable

import click

from models.bundle.declarations import FramedFace
from models.files.text import as_text
from training.data.errors import DataError
from training.data.face_framing import folder_framing
from training.data.folder import find_pictures
from training.export.bundles import Provenance
from training.run_folder.folder import RunFolder


def source_faces(run: RunFolder, directions: Iterable[str]) -> dict[str, FramedFace]:
    """Return how faces are framed, by direction: of `A2B` in trainA, of `B2A` in trainB.

    A direction is missing where most of the pictures show no face that the detector finds. Without the
    folder of the run's data nothing is measured, which is said.
    """
    _, data, _ = run.read()
    measured = {}
    try:
        for direction in directions:
            name = f"train{direction[0]}"
            framing = folder_framing(name, find_pictures(data, (name,))[name].pictures)
            if framing is not None:
                height, x, y = (round(value, 3) for value in framing.framing)
                measured[direction] = FramedFace(height=height, centre_x=x, centre_y=y)
    except DataError:
        click.echo(f"{as_text(data)} is not there: the framing of faces was not measured.", err=True)
    return measured


def with_face(provenance: Provenance, face: FramedFace | None) -> Provenance:
    """Return the provenance with a measured face; it means that pictures of the source show faces."""
    framing = provenance.framing or ("face" if face is not None else None)
    return provenance._replace(framing=framing, face=face)
