"""Measure how faces are framed in the training pictures of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from models.faces.detector import FaceDetector, largest
from models.faces.framing import FaceFraming, framing_of, measure_framing
from models.images.errors import PictureError
from training.data.open_pictures import read_picture

SAMPLE: Final = 40
"""Pictures searched for a face: enough for a median, and seconds of time."""
_OF_FACES: Final = 0.5
"""The least share of searched pictures with a face, for a folder of faces: a few finds can be false."""


class FolderFraming(NamedTuple):
    """How the faces in one folder are framed."""

    name: str
    searched: int
    """Pictures that were searched for a face, evenly spread over the folder."""
    faces: int
    """Pictures in which one was found."""
    framing: FaceFraming
    """The median of their largest faces."""


def folder_framing(name: str, paths: Sequence[Path]) -> FolderFraming | None:
    """Return the framing of the faces in a folder; None where most pictures show no face.

    Args:
        name: of the folder.
        paths: its readable pictures. One that can no longer be read is passed over.
    """
    detector = FaceDetector()
    sample = (
        [paths[index * len(paths) // SAMPLE] for index in range(SAMPLE)] if len(paths) > SAMPLE else paths
    )
    framings = [framing for path in sample if (framing := _framing(detector, path)) is not None]
    framing = measure_framing(framings)
    if framing is None or len(framings) < _OF_FACES * len(sample):
        return None
    return FolderFraming(name, len(sample), len(framings), framing)


def _framing(detector: FaceDetector, path: Path) -> FaceFraming | None:
    try:
        _, pixels = read_picture(path)
    except PictureError:
        return None
    face = largest(detector.detect(pixels))
    return None if face is None else framing_of(face, height=pixels.shape[0], width=pixels.shape[1])
