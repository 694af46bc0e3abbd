"""The columns of a sample sheet: pictures and heat maps of all six networks for a few source pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from torch import Tensor

from models.networks.cam import CAMParts
from models.networks.discriminator import DiscriminatorOutput
from models.networks.generator import GeneratorOutput
from models.networks.translation import Translation
from training.methods.method import Column
from training.methods.sample_columns import heat_map

RunWithParts = Callable[[str, Tensor], tuple[GeneratorOutput | DiscriminatorOutput, CAMParts | None]]
Generate = Callable[[str, Tensor], GeneratorOutput]
Discriminate = Callable[[str, Tensor], DiscriminatorOutput]


_POOLS: Final = (("average", "average"), ("max", "maximum"))


def sample_columns(
    source: Tensor, domain: str, target: str, *, generate: Generate, discriminate: Discriminate
) -> list[Column]:
    """Return source, translation, reconstruction, identity and heat maps; a network without a CAM has no map.

    Args:
        source: pictures `[N, 3, S, S]` in [-1, 1].
        domain: of the source pictures, `A` or `B`.
        target: the other domain.
        generate: runs a generator, by its name, on pictures.
        discriminate: runs a discriminator, by its name, on pictures.
    """
    forward, backward = f"gen{domain}2{target}", f"gen{target}2{domain}"
    translation = generate(forward, source)
    identity = generate(backward, source)
    reconstruction = generate(backward, translation.image)
    return [
        Column("source", source),
        *heat_map("attention", translation.attention),
        *_discriminator_maps(discriminate, source, domain),
        Column("translation", translation.image),
        *_discriminator_maps(discriminate, translation.image, target),
        *heat_map("attention back", reconstruction.attention),
        Column("reconstruction", reconstruction.image),
        Column("identity", identity.image),
    ]


def parts_columns(source: Tensor, domain: str, target: str, *, run: RunWithParts) -> dict[str, list[Column]]:
    """Return whole map, shares of both pools and classifier's map of each network with a CAM.

    The generator's are over the source, the discriminators' over the translation.

    Args:
        source: pictures `[N, 3, S, S]` in [-1, 1].
        domain: of the source pictures, `A` or `B`.
        target: the other domain.
        run: runs a network, by its name, on pictures.
    """
    translated, parts = run(f"gen{domain}2{target}", source)
    assert isinstance(translated, Translation)
    found = {"generator": _parts("source", source, translated.attention, parts)}
    for network, name in (("local", f"disL{target}"), ("global", f"disG{target}")):
        judged, parts = run(name, translated.image)
        found[network] = _parts("translation", translated.image, judged.attention, parts)
    return {network: columns for network, columns in found.items() if columns}


def _parts(label: str, pictures: Tensor, whole: Tensor | None, parts: CAMParts | None) -> list[Column]:
    if whole is None or parts is None:
        return []
    shares = [Column(f"{pool} pool's share", getattr(parts, name)) for pool, name in _POOLS]
    return [
        Column(label, pictures),
        Column("whole map", whole),
        *shares,
        Column("classifier's map", parts.classifier),
    ]


def _discriminator_maps(discriminate: Discriminate, pictures: Tensor, domain: str) -> list[Column]:
    """Return the heat maps `[N, h, w]` of the local and of the global discriminator of a domain."""
    local_map = discriminate(f"disL{domain}", pictures).attention
    global_map = discriminate(f"disG{domain}", pictures).attention
    return [*heat_map("local D", local_map), *heat_map("global D", global_map)]
