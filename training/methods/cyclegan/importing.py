"""Read official checkpoints of CycleGAN as translators, and as the first weights of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from torch import Tensor, nn

from models.files.text import as_text
from training.importers.errors import OfficialCheckpointError
from training.methods.cyclegan.official_networks import OURS, read_networks
from training.methods.cyclegan.translators import translators
from training.methods.importing import Imported, ImportRequest

SIZE: Final = 256
"""The training size of the official code, which its files do not record."""


def import_official(request: ImportRequest) -> Imported:
    """Return the translators of the wanted directions.

    Raises:
        OfficialCheckpointError: a file is not a network of CycleGAN, a wanted generator is missing, or an
            option is for another method.
    """
    for option, value in (("--step", request.step), ("--smoothing", request.smoothing)):
        if value is not None:
            raise OfficialCheckpointError(f"{option} is not for CycleGAN; leave {option} out.")
    official = read_networks(request.paths)
    networks = _with_direction(dict(official.networks), request)
    found = translators(networks, size=request.size or SIZE)
    return Imported(
        [each for each in found if each.direction in request.directions],
        official.sha256,
        assumed_size=None if request.size else SIZE,
        ignored=official.ignored,
    )


def _with_direction(networks: dict[str, nn.Module], request: ImportRequest) -> dict[str, nn.Module]:
    """Return the networks with a generator without a direction as that of the one wanted direction."""
    if "G" in networks:
        if len(request.directions) != 1:
            raise OfficialCheckpointError(
                "A file such as latest_net_G.pth has one generator: name its direction with --a2b NAME "
                "--only a2b, or with --b2a NAME --only b2a."
            )
        networks = {**networks, f"gen{next(iter(request.directions))}": networks["G"]}
    for direction in request.directions:
        if f"gen{direction}" not in networks:
            official = next(name for name, ours in OURS.items() if ours == f"gen{direction}")
            given = ", ".join(as_text(path) for path in request.paths)
            raise OfficialCheckpointError(
                f"{given}: expected {official}, which translates {direction.replace('2', ' to ')}, found "
                f"{', '.join(networks)}; give its file too, or leave the direction out with --only."
            )
    return networks


def read_official_weights(
    path: Path,
    _: Mapping[str, nn.Module],
    *,
    size: int,  # noqa: ARG001
) -> dict[str, dict[str, Tensor]]:
    """Return the state of each network in an official file or folder, by our names.

    Raises:
        OfficialCheckpointError: there is no such checkpoint, or it does not say its direction.
    """
    found = read_networks([path]).networks
    if "G" in found:
        raise OfficialCheckpointError(
            f"{as_text(path)} does not say its direction; rename it to latest_net_G_A.pth if it translates A "
            "to B, or to latest_net_G_B.pth."
        )
    return {name: network.state_dict() for name, network in found.items()}


def is_official_folder(path: Path) -> bool:
    """Return whether a folder holds files such as `latest_net_G_A.pth`."""
    return any(path.glob("latest_net_*.pth"))
