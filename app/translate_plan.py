"""Which pictures `ugatit translate` translates, how, and where their results go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from app.engine.errors import NoReferences, NoStyles
from app.engine.face_choice import FaceChoice
from app.engine.planning import FrameChoice, PhotoRequest
from app.engine.render_options import RenderOptions
from app.engine.style_choice import StyleChoice, chosen_style
from app.translated_maps import HeatMaps
from models.bundle.declarations import Network, Part
from models.bundle.manifest import Manifest
from models.files.walk import summary, walk
from models.images.decode import decode
from models.images.encode import extension
from models.images.encode_animation import ANIMATED_TYPES
from models.images.errors import PictureError
from models.images.frame import Fit
from models.images.limits import PictureLimits

Source = TypeVar("Source", bound=Hashable)
Result = TypeVar("Result", bound=Hashable)


class PlanError(ValueError):
    """The request cannot be carried out. The message is a sentence with the remedy."""


class Plan(NamedTuple):
    """Which pictures to translate, how, and into which folder."""

    sources: tuple[Path, ...]
    """Picture files and folders of pictures."""
    out: Path
    direction: str
    fit: Fit
    options: RenderOptions
    heat_maps: HeatMaps = HeatMaps()
    face: FaceChoice | None = None
    """Which faces are translated; None for the bundle's default."""
    paste: bool = False
    """Whether translations are put back into the whole pictures."""
    frames: FrameChoice = "all"
    """Which frames of animated files are translated; a JPEG has only the first."""
    style: StyleChoice | None = None
    """None for the default of a bundle with styles."""
    keeps_gif: bool = False
    """Whether the translation of a GIF is a GIF, whatever the format of the others."""
    force: bool = False
    """Whether pictures are translated again whose results an earlier run has written."""

    @property
    def request(self) -> PhotoRequest:
        """What of each picture is translated."""
        moving = self.options.media_type in ANIMATED_TYPES
        return PhotoRequest(self.fit, self.face, self.paste, self.frames if moving else "first", self.style)

    def options_of(self, source: Path) -> RenderOptions:
        """Return how the translation of a picture is rendered."""
        if self.keeps_gif and source.suffix.lower() == ".gif":
            return self.options._replace(media_type="image/gif")
        return self.options


class Job(NamedTuple):
    """One picture and its result files."""

    source: Path
    translation: Path
    heat_maps: dict[tuple[Network, Part], Path]

    @property
    def results(self) -> list[Path]:
        """All result files."""
        return [self.translation, *self.heat_maps.values()]


class ResultNames(NamedTuple):
    """The names of one picture's results, below the folder of the results."""

    translation: Path
    heat_maps: dict[tuple[Network, Part], Path]


class Jobs(NamedTuple):
    """The pictures of a plan, and remarks about skipped files."""

    jobs: list[Job]
    remarks: list[str]
    """A sentence for each source folder with files that were left out."""


class Remarkable(NamedTuple):
    """Pictures about which the user is told something."""

    without_face: list[Path]
    """A face was searched for in vain."""
    finished: list[Path]
    """An earlier run has written their results, so they were not translated."""


class Report(NamedTuple):
    """What the user learns about a run."""

    results: dict[str, list[str]]
    """Of each picture, also of those that failed."""
    remarks: list[str]
    failures: list[tuple[str, str]]
    """Each failed picture with the reason."""
    finished: list[str]
    """An earlier run has written their results, so they were not translated."""
    without_face: list[str]
    """A face was searched for in vain."""


def find_jobs(plan: Plan) -> Jobs:
    """Return the pictures of a plan in a fixed order, each with its result files.

    Raises:
        PlanError: there is no picture, a result would overwrite a source, or two results have one name.
    """
    found, remarks = find_pictures(plan.sources, plan.out)
    jobs = []
    for source, names in name_results(plan, found).items():
        maps = {key: plan.out / name for key, name in names.heat_maps.items()}
        jobs.append(Job(source, plan.out / names.translation, maps))
    _refuse_overwriting(jobs)
    refuse_clashes({job.source: job.results for job in jobs})
    return Jobs(jobs, remarks)


def find_pictures(sources: Sequence[Path], out: Path | None) -> tuple[dict[Path, Path], list[str]]:
    """Return each picture with its path below its source, and the remarks about files left out.

    Args:
        sources: picture files and folders of pictures.
        out: the folder of the results, which are not pictures to translate; None if they are elsewhere.

    Raises:
        PlanError: a folder holds no pictures.
    """
    found: dict[Path, Path] = {}
    remarks = []
    for source in sources:
        if not source.is_dir():
            found[source] = Path(source.name)
            continue
        walked = walk(source)
        remark = f"In {source}: {summary(walked.left_out, source)}" if walked.left_out else ""
        pictures = walked.pictures if out is None else _without_results(walked.pictures, source, out)
        if not pictures:
            raise PlanError(
                f"{source} holds no pictures; give a folder with .jpg, .png, .webp or .gif files. "
                f"{remark}".strip()
            )
        found |= {picture: picture.relative_to(source) for picture in pictures}
        remarks += [remark] if remark else []
    return found, remarks


def name_results(plan: Plan, found: Mapping[Source, Path]) -> dict[Source, ResultNames]:
    """Return the names of the results of each picture, from its path below its source."""
    names = Counter(below.with_suffix("") for below in found.values())
    suffix = extension(plan.options.media_type)
    results = {}
    for source, below in found.items():
        # The results of a.jpg and a.png in one folder are a.jpg.png and a.png.png.
        name = below.stem if names[below.with_suffix("")] == 1 else below.name
        maps = {key: below.parent / f"{name}.{word}{suffix}" for key, word in plan.heat_maps.names().items()}
        translation = below.parent / f"{name}{extension(plan.options_of(below).media_type)}"
        results[source] = ResultNames(translation, maps)
    return results


def _without_results(pictures: Sequence[Path], source: Path, out: Path) -> list[Path]:
    """Return the pictures without the results that an earlier run wrote into `out` below the source."""
    results = out.resolve()
    if results == source.resolve():
        return list(pictures)
    return [picture for picture in pictures if results not in picture.resolve().parents]


def _refuse_overwriting(jobs: Sequence[Job]) -> None:
    sources = {job.source.resolve() for job in jobs}
    for job in jobs:
        for target in job.results:
            if target.resolve() in sources:
                raise PlanError(
                    f"{target} is one of the pictures to translate; choose another folder for --out."
                )


def refuse_clashes(results: Mapping[Source, Sequence[Result]]) -> None:
    """Refuse pictures whose results have one name, for example a.png and a.overlay.png of an earlier run.

    Raises:
        PlanError: there are such pictures.
    """
    sources: dict[Result, Source] = {}
    for source, targets in results.items():
        for target in targets:
            other = sources.setdefault(target, source)
            if other != source:
                raise PlanError(
                    f"The results of {other} and {source} would both be {target}; rename one of them."
                )


def require_maps(manifest: Manifest, plan: Plan) -> None:
    """Refuse heat maps that the bundle lacks; only the default, the generator's, may be missing.

    Raises:
        PlanError: the bundle has no such map.
    """
    declared = {(each.network, each.part): f"{each.part} of {each.network}" for each in manifest.maps}
    for network, part in plan.heat_maps.names().keys() - declared.keys() - HeatMaps().names().keys():
        raise PlanError(
            f"The bundle of {plan.direction} has no heat map {part} of {network}; "
            f"it has {', '.join(declared.values()) or 'none'}."
        )


def require_style(manifest: Manifest, plan: Plan, limits: PictureLimits) -> None:
    """Check that the bundle takes the chosen style, and that its reference is a picture.

    Raises:
        PlanError: one of them is not so.
    """
    try:
        style = chosen_style(plan.style, plan.direction, manifest)
    except (NoStyles, NoReferences) as error:
        raise PlanError(str(error)) from None
    if style is not None and style.reference is not None:
        try:
            decode(style.reference, limits=limits)
        except PictureError as error:
            raise PlanError(f"The reference cannot be used: {error}") from None
