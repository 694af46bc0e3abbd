"""The models of a study: bundles of one direction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from app.study.errors import StudyError
from models.bundle.directory import read_bundle
from models.bundle.manifest import ImageSize
from models.files.distinct_names import distinct_names

_MOST: Final = 9
"""Most models: a participant chooses with one key, and compares all of them on one screen."""


class StudyModel(NamedTuple):
    """One model of a study."""

    name: str
    """The end of its bundle's path. Participants never see it."""
    version: str
    source: str
    target: str
    size: ImageSize
    path: Path


def read_models(paths: Sequence[Path]) -> list[StudyModel]:
    """Verify the bundles of a study.

    Raises:
        StudyError: there are too few or too many, one is given twice, or they have different directions.
        BundleError: a bundle does not match its manifest.
    """
    if not 2 <= len(paths) <= _MOST:
        raise StudyError(f"A study compares 2 to {_MOST} bundles, got {len(paths)}; give more or fewer.")
    try:
        names = distinct_names(paths)
    except ValueError as error:
        raise StudyError(str(error)) from None
    models = [_read_model(path, name) for path, name in names.items()]
    first = models[0]
    for number, model in enumerate(models):
        if (model.source, model.target) != (first.source, first.target):
            raise StudyError(
                f"The bundles of a study must have one direction: {first.path} translates {first.source} to "
                f"{first.target}, and {model.path} translates {model.source} to {model.target}; leave one "
                "out."
            )
        for other in models[:number]:
            if other.version == model.version:
                raise StudyError(f"{other.path} and {model.path} hold the same bundle; give it once.")
    return models


def _read_model(path: Path, name: str) -> StudyModel:
    bundle = read_bundle(path)
    manifest = bundle.manifest
    return StudyModel(name, bundle.version, manifest.source, manifest.target, manifest.image, path)
