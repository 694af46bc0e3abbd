"""Translate the test pictures with every subject, and keep what a gallery shows of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from models.bundle.declarations import HeatMap
from models.bundle.manifest import ImageSize
from models.files.spread import evenly_spread
from models.files.walk import name_below
from training.checkpoint.errors import CheckpointError
from training.data.folder import DOMAINS, Domain
from training.evaluation.data import EvaluationData
from training.evaluation.figures import l1, source_probability
from training.evaluation.passes import Advance
from training.evaluation.reconstruct import picture_batches, reconstruct
from training.evaluation.subject import Direction, Subject
from training.gallery.heat_maps import Heat, draw_heat
from training.gallery.pictures import Sizes, encode_within
from training.gallery.subjects import Column


class Shown(NamedTuple):
    """What one subject made of one picture; pictures are JPEG files."""

    translation: bytes
    heats: list[Heat]
    """In the order of the column's maps."""
    reconstruction: bytes | None
    """None without a translator of the opposite direction."""
    cam: float | None
    """The auxiliary classifier's probability that the picture is of the source domain."""
    cycle: float | None
    """Mean distance of the reconstruction from the picture, with levels from -1 to 1."""


class ShownColumn(NamedTuple):
    """One subject's pictures, in the order of the test pictures."""

    subject: Subject
    direction: str
    pictures: list[Shown]
    maps: Sequence[HeatMap]
    """The heat maps shown, those of networks without a CAM left out."""
    figures: str = ""
    """Figures of this direction."""

    @property
    def label(self) -> str:
        """The subject's name, with its training steps where they are known."""
        steps = self.subject.steps
        return self.subject.name if steps is None else f"{self.subject.name}, {steps:,} steps"


class Section(NamedTuple):
    """All columns of one domain's pictures."""

    source: Domain
    target: Domain
    names: list[str]
    sources: list[bytes]
    columns: list[ShownColumn]


class Gallery(NamedTuple):
    """The sections of a page, and what was left out of it."""

    sections: list[Section]
    remarks: list[str]


def limited(data: EvaluationData, most: int) -> EvaluationData:
    """Return the data with at most `most` pictures of each domain, evenly spread over their order."""
    return replace(data, paths={domain: tuple(evenly_spread(data.paths[domain], most)) for domain in DOMAINS})


def count_translations(columns: Sequence[Column], data: EvaluationData) -> int:
    """Return the number of pictures that `collect` reports to `advance`."""
    return sum(data.count(domain) for column in columns for domain in column.sources)


def collect(
    columns: Sequence[Column], data: EvaluationData, *, sizes: Sizes, advance: Advance = lambda _: None
) -> Gallery:
    """Open each column's subject and show the test pictures of its directions.

    Args:
        columns: the subjects, which are opened one after the other.
        data: the test pictures.
        sizes: of the pictures on the page, and which heat maps it has.
        advance: called with the number of pictures just translated.

    Raises:
        EvaluationError: a network returns values that are not finite.
        DataError: a picture can no longer be read.
        CheckpointError: a checkpoint cannot be used, or none of the optional ones can.
    """
    columns_of: dict[Domain, list[ShownColumn]] = defaultdict(list)
    image_sizes: dict[Domain, list[ImageSize]] = defaultdict(list)
    remarks = [sizes.remark] if sizes.remark else []
    for column in columns:
        try:
            subject = column.open()
        except CheckpointError as error:
            if not column.optional:
                raise
            remarks.append(f"Left out: {column.name}. {error}")
            continue
        remarks += _missing_parts(subject)
        for direction in subject.directions:
            columns_of[direction.source].append(
                _column(subject, direction, data, sizes, column.figures.get(direction.name, ""), advance)
            )
            image_sizes[direction.source].append(direction.forth.size)
    if not image_sizes:
        raise CheckpointError(f"No checkpoint could be used. {remarks[0]}")
    sections = [
        _section(domain, columns_of[domain], image_sizes[domain], data, sizes.picture_bytes)
        for domain in DOMAINS
        if domain in image_sizes
    ]
    return Gallery(sections, remarks)


def _missing_parts(subject: Subject) -> list[str]:
    """Return a remark on the parts of heat maps that a bundle of an earlier format lacks."""
    missing = dict.fromkeys(part for each in subject.directions for part in each.forth.missing_parts)
    if not missing:
        return []
    return [
        f"{subject.name} has whole heat maps only, without {', '.join(missing)}; export its checkpoint again "
        "to get them."
    ]


def _section(
    source: Domain,
    columns: list[ShownColumn],
    sizes: Sequence[ImageSize],
    data: EvaluationData,
    most_bytes: int,
) -> Section:
    """Return a section with the sources at the size of its largest network."""
    size = max(sizes, key=lambda each: each.height * each.width)
    pictures = data.stretched(source, height=size.height, width=size.width)
    return Section(
        source,
        "B" if source == "A" else "A",
        [name_below(path, data.folder / f"test{source}") for path in data.paths[source]],
        [encode_within(picture, most_bytes) for picture in pictures],
        columns,
    )


def _column(
    subject: Subject,
    direction: Direction,
    data: EvaluationData,
    sizes: Sizes,
    figures: str,
    advance: Advance,
) -> ShownColumn:
    maps = [each for each in direction.forth.maps if sizes.shows(each)]
    shown = list(_translate(direction, maps, data, sizes.picture_bytes, advance))
    # Without its networks: those of several checkpoints do not fit into the memory together.
    described = replace(subject, directions=())
    return ShownColumn(described, direction.name, shown, maps, figures)


def _translate(
    direction: Direction,
    wanted: Sequence[HeatMap],
    data: EvaluationData,
    most_bytes: int,
    advance: Advance,
) -> Iterator[Shown]:
    for pixels in picture_batches(data, direction.source, direction.forth):
        answer, maps = direction.forth.explain(pixels)
        again = reconstruct(direction, answer.image, like=pixels)
        cam = None if answer.cam_logit is None else source_probability(answer.cam_logit)
        cycle = None if again is None else l1(again, pixels)
        height, width = pixels.shape[1:3]
        drawn = [
            (declared, values)
            for declared, values in zip(direction.forth.maps, maps, strict=True)
            if declared in wanted
        ]
        for index in range(len(pixels)):
            yield Shown(
                encode_within(answer.image[index], most_bytes),
                [draw_heat(values[index], each, height=height, width=width) for each, values in drawn],
                None if again is None else encode_within(again[index], most_bytes),
                None if cam is None else float(cam[index]),
                None if cycle is None else float(cycle[index]),
            )
        advance(len(pixels))
