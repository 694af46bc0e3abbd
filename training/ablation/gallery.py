"""The gallery of an ablation: the same test pictures for each variant side by side, with their figures."""

from __future__ import annotations

from functools import partial
from typing import Final

from training.ablation.folder import RunsFolder, RunsPlan
from training.ablation.measure import Measured
from training.ablation.variants import FULL, TITLES, Variant
from training.data.folder import DOMAINS, domain
from training.evaluation.data import EvaluationData
from training.evaluation.domains import name_domains
from training.evaluation.opening import open_run
from training.evaluation.rows import Row
from training.gallery.collect import collect, count_translations, limited
from training.gallery.page import draw_page
from training.gallery.pictures import plan_sizes
from training.gallery.subjects import Column

PICTURES: Final = 12
"""Most test pictures of each domain on the page, evenly spread."""


def draw_gallery(
    folder: RunsFolder, plan: RunsPlan, measured: Measured, data: EvaluationData, *, device: str
) -> str:
    """Return the page as HTML, with the translations of every measured variant.

    Raises:
        CheckpointError: a checkpoint cannot be used.
        EvaluationError: a network returns values that are not finite.
        DataError: a picture can no longer be read.
    """
    shown = limited(data, PICTURES)
    columns = [
        Column(
            _name(plan, each),
            partial(open_run, _name(plan, each), folder.run(each).path, step=measured.step, device=device),
            tuple(domain(source) for source, _ in plan.config_of(each).kind.directions),
            figures=_figures(measured, each.folder),
        )
        for each in measured.variants
    ]
    counts = [shown.count(domain) for domain in DOMAINS]
    sizes = plan_sizes(sum(counts), count_translations(columns, shown), rows=max(counts))
    gallery = collect(columns, shown, sizes=sizes)
    found = {domain: data.count(domain) for domain in DOMAINS}
    return draw_page(gallery, shown, name_domains(data.folder, None, []), found=found, kinds=("translation",))


def _name(plan: RunsPlan, variant: Variant) -> str:
    """Return the name of a variant for a narrow column: `with GN`."""
    return plan.title(variant).removeprefix(f"{TITLES[FULL]} ")


def _figures(measured: Measured, subject: str) -> dict[str, str]:
    """Return the distance and the cycle error of a variant, by direction."""
    words: dict[str, list[str]] = {}
    for row in measured.evaluation.rows:
        if row.subject == subject and (text := _figure(row)):
            words.setdefault(row.direction, []).append(text)
    return {direction: " · ".join(each) for direction, each in words.items()}


def _figure(row: Row) -> str:
    if row.protocol == "plain":
        return f"{row.metric[:3].upper()}{row.metric[3:]} {row.value:.3f}"
    return f"cycle {row.value:.3f}" if row.metric == "cycle-l1" else ""
