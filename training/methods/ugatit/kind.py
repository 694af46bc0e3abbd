"""U-GAT-IT as commands and configs see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from models.networks.config import deepest_layers
from training.config.compute_settings import ComputeSettings
from training.importers.tensorflow_location import is_tensorflow
from training.methods.finite_updates import GuardConfig
from training.methods.kind import Changes, MethodKind
from training.methods.loss_families import LossFamily
from training.methods.ugatit.ablations import ABLATIONS
from training.methods.ugatit.config import UgatitConfig
from training.methods.ugatit.first_weights import read_official_weights
from training.methods.ugatit.importing import import_official
from training.methods.ugatit.method import Ugatit
from training.methods.ugatit.official_file import networks_to_official
from training.methods.ugatit.translators import NAME, TITLE
from training.parallel.processes import Processes

_NETWORKS: Final = ("generator", "global_discriminator", "local_discriminator")
_FAMILIES: Final = {
    "G_cycle": LossFamily("Cycle", "L1 between a picture and its reconstruction", "cycle"),
    "G_identity": LossFamily("Identity", "L1 between a picture and its identity translation", "identity"),
    "G_cam": LossFamily("Generators' CAM", "cross-entropy of source against target", "cam"),
    "G_adv": LossFamily(
        "Generators, adversarial",
        "squared distance of the discriminators' answers to fakes from real",
        "adversarial",
    ),
    "G_cam_adv": LossFamily("Generators, CAM adversarial", "the same, for the discriminators' classifiers"),
    "G_feature": LossFamily(
        "Generators, features", "minus the feature discriminators' mean answer to fakes", "feature"
    ),
    "G_nce": LossFamily(
        "PatchNCE",
        "cross-entropy of finding a translation's places in its source. 0: all found; 4.9 at 128 px: chance",
        "nce",
    ),
    "D_adv": LossFamily("Discriminators, adversarial", "0: real and fake fully separated, 0.5: not at all"),
    "D_cam": LossFamily("Discriminators, CAM", "the same, for their classifiers"),
    "D_feature": LossFamily(
        "Feature discriminators", "hinge loss. 0: real and fake fully separated, 2: not at all"
    ),
}


def _has_parts(config: UgatitConfig) -> bool:
    networks = (config.generator, config.local_discriminator, config.global_discriminator)
    return any(network.cam for network in networks)


def _build(
    config: UgatitConfig,
    *,
    size: int,
    speed: ComputeSettings,
    guard: GuardConfig | None,
    processes: Processes | None,
) -> Ugatit:
    assert size == config.generator.size, "RunConfig has compared them"
    return Ugatit(config, speed=speed, guard=guard, processes=processes)


def _sized(size: int) -> Changes:
    return {"generator": {"size": size}}


def _widened(channels: int) -> Changes:
    return {name: {"channels": channels} for name in _NETWORKS}


def _fitted(section: Mapping[str, Any], size: int) -> tuple[Changes, Sequence[str]]:
    """Return discriminators no deeper than the pictures allow, and a remark on each that was deeper."""
    changes: dict[str, Any] = {}
    remarks, deepest = [], deepest_layers(size)
    for name in ("global_discriminator", "local_discriminator"):
        layers = section[name]["layers"]
        if isinstance(layers, int) and layers > deepest:
            changes[name] = {"layers": deepest}
            remarks.append(
                f"{NAME}.{name}.layers is {layers}, which is too deep for {size} px: this plan uses "
                f"{deepest}, the most that fit; add --set {NAME}.{name}.layers={deepest}."
            )
    return changes, remarks


UGATIT: Final = MethodKind(
    name=NAME,
    title=TITLE,
    config=UgatitConfig,
    build=_build,
    presets=Path(__file__).parent / "presets",
    preset="official-pytorch",
    score="cycle + identity L1",
    score_words=(
        "the mean distance of a picture from its reconstruction plus that from its identity translation"
    ),
    has_parts=_has_parts,
    families=_FAMILIES,
    optional_networks=("disFA", "disFB", "projA2B", "projB2A"),
    about={"GA": "global A", "GB": "global B", "LA": "local A", "LB": "local B"},
    variants=ABLATIONS,
    sized=_sized,
    widened=_widened,
    fitted=_fitted,
    import_official=import_official,
    read_official=read_official_weights,
    official_folder=is_tensorflow,
    official_file=networks_to_official,
)
