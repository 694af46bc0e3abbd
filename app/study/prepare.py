"""Begin a study in a new database, or go on with one: check what is in it, translate what is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from app.engine.runtime.session import OpenModel
from app.study.database import Database, open_database, refuse_path
from app.study.errors import StudyError
from app.study.models import StudyModel
from app.study.pictures import SourcePicture
from app.study.translate import OpenedModel, open_models, shown_size, translate_picture

Advance = Callable[[int, int], None]
"""Called with the number of pictures that are translated and the number of all pictures."""


class Plan(NamedTuple):
    """What a study compares."""

    models: Sequence[StudyModel]
    pictures: Sequence[SourcePicture]
    question: str | None
    """What participants are asked; None for the question in the database, or the default of a new study."""


def prepare(path: Path, plan: Plan, find_runtime: Callable[[], OpenModel], advance: Advance) -> Database:
    """Return the database of a study with all of its translations.

    A killed preparation continues with the first picture that is missing. A new file is made only after
    every model has been opened.

    Args:
        path: of the database.
        plan: what the study compares.
        find_runtime: returns how models are opened; not called where nothing is missing.
        advance: reports the progress.

    Raises:
        StudyError: the file holds another study, or is not a study; or a picture can no longer be read.
        BundleError: a model cannot be opened.
    """
    refuse_path(path)
    shown_size(plan.models)
    opened = None if path.exists() else open_models(plan.models, find_runtime())
    database = open_database(path)
    try:
        if database.is_new:
            _create(database, plan)
        _refuse_another_study(database, plan)
        if missing := database.pictures_without_images():
            opened = opened or open_models(plan.models, find_runtime())
            _translate(database, missing, opened, plan, advance)
    except BaseException:
        database.close()
        raise
    return database


def _create(database: Database, plan: Plan) -> None:
    first = plan.models[0]
    database.create(
        source=first.source,
        target=first.target,
        question=plan.question or f"Which picture is the best translation to {first.target}?",
        models=[(model.name, model.version) for model in plan.models],
        pictures=[(picture.name, picture.sha256) for picture in plan.pictures],
    )


def _refuse_another_study(database: Database, plan: Plan) -> None:
    """Refuse to mix votes on different models, pictures or questions."""
    kept = database.models()
    if {version for _, version in kept} != {model.version for model in plan.models}:
        names = ", ".join(name for name, _ in kept)
        raise StudyError(
            f"{database.path} holds a study of other bundles ({names}); give those, or name another --db."
        )
    digests = {sha256 for _, sha256 in database.pictures()}
    if digests != {picture.sha256 for picture in plan.pictures}:
        raise StudyError(
            f"{database.path} holds a study of {len(digests)} other pictures than the {len(plan.pictures)} "
            "given; give its --data and --limit, or name another --db."
        )
    asked = database.facts().question
    if plan.question is not None and plan.question != asked:
        raise StudyError(
            f"{database.path} holds a study with the question {asked!r}; leave out --question, or name "
            "another --db."
        )


def _translate(
    database: Database, missing: Sequence[int], opened: Sequence[OpenedModel], plan: Plan, advance: Advance
) -> None:
    numbers = {version: number for number, (_, version) in enumerate(database.models())}
    by_number = {numbers[each.described.version]: each for each in opened}
    digests = [sha256 for _, sha256 in database.pictures()]
    paths = {picture.sha256: picture.path for picture in plan.pictures}
    size = shown_size(plan.models)
    for done, picture in enumerate(missing, start=len(digests) - len(missing) + 1):
        database.add_images(picture, translate_picture(paths[digests[picture]], by_number, size))
        advance(done, len(digests))
