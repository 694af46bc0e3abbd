"""Find the names of the domains in `testA` and `testB`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from models.bundle.manifest import DIRECTION, Manifest, split_direction
from training.data.folder import Domain
from training.evaluation.errors import EvaluationError


class Domains(NamedTuple):
    """The names of both domains, and where they were read."""

    A: str
    B: str
    origin: str

    def side(self, domain: str) -> Domain | None:
        """Return A or B for the name of a domain; None for another name."""
        return "A" if domain == self.A else "B" if domain == self.B else None


def name_domains(folder: Path, a2b: str | None, bundles: Sequence[Manifest]) -> Domains | None:
    """Return the names of both domains, from the first argument that has them; None if none has.

    Args:
        folder: of the data set; its name may be a direction, such as `selfie2anime` or `selfie2anime-small`.
        a2b: the direction from A to B that the user named, if any.
        bundles: the first one is assumed to translate A to B.

    Raises:
        BundleError: `a2b` is not of the form SOURCE2TARGET.
    """
    if a2b is not None:
        return Domains(*split_direction(a2b), origin=f"--a2b {a2b}")
    name = folder.resolve().name
    for manifest in bundles:
        for source, target in ((manifest.source, manifest.target), (manifest.target, manifest.source)):
            if name.startswith(f"{source}2{target}"):
                return Domains(source, target, origin=f"the name of {folder}")
    if named := DIRECTION.fullmatch(name):
        return Domains(named["source"], named["target"], origin=f"the name of {folder}")
    if bundles:
        first = bundles[0]
        return Domains(first.source, first.target, origin=f"{first.direction}, the first bundle")
    return None


def sides(manifest: Manifest, domains: Domains) -> tuple[Domain, Domain]:
    """Return the domains that a bundle translates from and to.

    Raises:
        EvaluationError: the bundle has other domains.
    """
    source, target = domains.side(manifest.source), domains.side(manifest.target)
    if source is None or target is None or source == target:
        raise EvaluationError(
            f"The bundle {manifest.direction} translates {manifest.source} to {manifest.target}, but the "
            f"test pictures are {domains.A} and {domains.B} (from {domains.origin}); evaluate it on pictures "
            "of its own domains, or name the domains of testA and testB with --a2b SOURCE2TARGET."
        )
    return source, target
