"""The columns of a sample sheet: what two generators and four discriminators make of some pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from models.networks.discriminator import DiscriminatorOutput
from models.networks.generator import GeneratorOutput
from training.methods.method import Column

Translate = Callable[[str, Tensor], GeneratorOutput]
Judge = Callable[[str, Tensor], DiscriminatorOutput]


def columns(source: Tensor, domain: str, target: str, *, translate: Translate, judge: Judge) -> list[Column]:
    """There and back again, with the attention of all that look; a network without a CAM has none.

    Args:
        source: pictures `[N, 3, S, S]` in [-1, 1].
        domain: theirs, `A` or `B`.
        target: the other one.
        translate: what a generator, by its name, makes of pictures.
        judge: what a discriminator, by its name, says of them.
    """
    forth, back = f"gen{domain}2{target}", f"gen{target}2{domain}"
    there, same = translate(forth, source), translate(back, source)
    again = translate(back, there.image)
    return [
        Column("source", source),
        *_map("attention", there.attention),
        *_looks(judge, source, domain),
        Column("translation", there.image),
        *_looks(judge, there.image, target),
        *_map("attention back", again.attention),
        Column("reconstruction", again.image),
        Column("identity", same.image),
    ]


def difference(sheet: Sequence[Column], one: str, other: str) -> float:
    """The mean distance of two columns, by their labels."""
    values = {column.label: column.values for column in sheet}
    return float((values[one] - values[other]).abs().mean())


def _looks(judge: Judge, pictures: Tensor, domain: str) -> list[Column]:
    """Where the local and the global discriminator of a domain look."""
    local = judge(f"disL{domain}", pictures).attention
    global_ = judge(f"disG{domain}", pictures).attention
    return [*_map("local D", local), *_map("global D", global_)]


def _map(label: str, attention: Tensor | None) -> list[Column]:
    return [] if attention is None else [Column(label, attention)]
