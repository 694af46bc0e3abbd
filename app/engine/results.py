"""Make what is kept and answered of a translation from its plan and the network's outputs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

from app.engine.directions.direction_status import BundleInfo
from app.engine.planning import Plan
from app.engine.runtime.session import Outputs
from app.engine.scheduling.batcher import Inference
from app.engine.store.entry import AttentionMap, Crop, Entry, Maps, crop_map
from app.engine.translation import source_probability
from models.bundle.manifest import Manifest


def make_entries(
    direction: str, bundle: BundleInfo, plan: Plan, inferences: Sequence[Inference], *, expires_at: float
) -> list[Entry]:
    """Return the translation in each of its styles; `inferences` has the plan's frames of each in turn."""
    each = len(plan.frames)
    return [
        _make_entry(direction, bundle, plan, inferences[at : at + each], expires_at=expires_at)
        for at in range(0, len(inferences), each)
    ]


def _make_entry(
    direction: str, bundle: BundleInfo, plan: Plan, inferences: Sequence[Inference], *, expires_at: float
) -> Entry:
    names = [each.name for each in bundle.manifest.maps_of("generator")]
    crops = [
        Crop(frame, one.outputs["image"], {name: one.outputs[name] for name in names}, placement.to_frame)
        for frame, one, placement in zip(plan.frames, inferences, cycle(plan.placements), strict=False)
    ]
    return Entry(
        direction=direction,
        version=bundle.version,
        crops=crops,
        declared=bundle.manifest.maps,
        expires_at=expires_at,
        scenes=plan.scenes,
        frames=plan.timing.frames if plan.timing is not None else 1,
    )


def maps_by_crop(maps: Sequence[Maps]) -> Maps:
    """Return the discriminators' maps of all crops under the names that the store keeps them by."""
    return {
        crop_map(name, number): values
        for number, of_crop in enumerate(maps)
        for name, values in of_crop.items()
    }


def maps_of_crops(maps: Maps, name: str, crops: int) -> list[AttentionMap]:
    """Return a discriminator's map of each crop from the maps of all."""
    return [maps[crop_map(name, number)] for number in range(crops)]


def probability_of_source(manifest: Manifest, outputs: Outputs) -> float | None:
    """Return the classifiers' probability of the source domain; None for a model without classifiers."""
    return next((source_probability(outputs[each.name]) for each in manifest.logits), None)
