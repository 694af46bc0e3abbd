"""Export the translators of a comparison as bundles, for `ugatit study` and the service."""

from __future__ import annotations

import shutil
from pathlib import Path

from training.ablation.measure import Measured
from training.comparison.plan import ComparisonFolder
from training.evaluation.domains import Domains
from training.export.bundles import Provenance, prepare_bundle
from training.run.trained import load_trained

_UNNAMED = {"A": "a", "B": "b"}
"""The domains of a data set whose folder's name says none."""


def export_bundles(
    folder: ComparisonFolder, measured: Measured, domains: Domains | None, *, data: str
) -> list[Path]:
    """Write a bundle for each direction of each method, and return their folders.

    Those of an earlier call are replaced.

    Raises:
        ParityError: an exported graph differs from torch.
        RunError, CheckpointError, ConfigError: a checkpoint cannot be used.
    """
    names = _UNNAMED if domains is None else {"A": domains.A, "B": domains.B}
    written = []
    for variant in measured.variants:
        trained = load_trained(folder.run(variant), step=measured.step)
        provenance = Provenance(trained.step, data, config_sha256=trained.config_sha256)
        for translator in trained.translators:
            direction = f"{names[translator.source]}2{names[translator.target]}"
            bundle = prepare_bundle(direction, translator, provenance=provenance)
            place = folder.bundles / variant.folder
            shutil.rmtree(place / direction, ignore_errors=True)
            written.append(bundle.write(place))
    return written
