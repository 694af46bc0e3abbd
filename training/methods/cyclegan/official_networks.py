"""Read the networks of CycleGAN's official PyTorch code, from one file for each network or one for all.

G_A translates A to B, and D_A judges its translations, so it judges domain B. Our names say the domains.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from torch import nn

from models.files.text import as_text
from training.importers.cyclegan import cyclegan_discriminator_of, cyclegan_generator
from training.importers.errors import OfficialCheckpointError
from training.importers.state_file import State, StateFile, read_state_file, tensors_of
from training.importers.tensorflow_signs import refuse_tensorflow

OURS: Final = {"G_A": "genA2B", "G_B": "genB2A", "D_A": "disB", "D_B": "disA"}
"""Our names of the official networks."""
_EXPECTED: Final = "a network of CycleGAN's PyTorch code"
_FILE: Final = re.compile(r"(?:^|.*_)(?P<name>[GD](?:_[AB])?)")
"""The end of a file's stem: `latest_net_G_A`, `200_net_D_B`, `latest_net_G`."""


class OfficialNetworks(NamedTuple):
    """The networks of official files."""

    networks: Mapping[str, nn.Module]
    """By our names; a generator whose file does not say its direction is `G`."""
    sha256: str
    """Of the file; of all files' hashes in order, where there are several."""
    ignored: Mapping[str, str]
    """Entries that are not networks: the class of each by its name."""


def read_networks(paths: Sequence[Path]) -> OfficialNetworks:
    """Return the networks of files such as `latest_net_G_A.pth`, or of the newest ones in a folder.

    Raises:
        OfficialCheckpointError: a file is not a network of CycleGAN, or two are the same network.
    """
    files = [read_state_file(path, _EXPECTED, method="cyclegan") for path in _files(paths)]
    networks: dict[str, nn.Module] = {}
    ignored: dict[str, str] = {}
    for file in files:
        for official, state in _states(file, ignored):
            name = OURS.get(official, official)
            if name in networks:
                raise OfficialCheckpointError(
                    f"{as_text(file.path)} is a second {official}; give each network once."
                )
            networks[name] = _network(file, official, state)
    hashes = [file.sha256 for file in files]
    return OfficialNetworks(networks, hashes[0] if len(hashes) == 1 else _joined(hashes), ignored)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files, for a folder its `latest_net_*.pth`."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(path.glob("latest_net_*.pth"))
        if not found:
            refuse_tensorflow(path, "a folder of CycleGAN")
            raise OfficialCheckpointError(
                f"{as_text(path)} has no latest_net_G_A.pth or latest_net_G.pth; give the files themselves."
            )
        yield from found


def _states(file: StateFile, ignored: dict[str, str]) -> Iterator[tuple[str, State]]:
    """Yield the state dicts in a file, by official name; note what else is in it."""
    if file.content.keys() & OURS.keys():
        for name, value in file.content.items():
            if name in OURS:
                yield str(name), tensors_of(file, value, _EXPECTED)
            else:
                ignored[str(name)] = type(value).__name__
        return
    state = tensors_of(file, file.content, _EXPECTED)
    yield _name_of(file, state), state


def _name_of(file: StateFile, state: State) -> str:
    """Return the official name of a network, from its file's name; `G` for a generator without a name."""
    named = _FILE.fullmatch(file.path.stem)
    generator = any(".conv_block." in key for key in state)
    if named is not None and (named["name"][0] == "G") == generator:
        return named["name"]
    if generator:
        return "G"
    raise file.error("a generator of CycleGAN", "a network whose file's name says neither D_A nor D_B")


def _network(file: StateFile, name: str, state: State) -> nn.Module:
    read: Any = cyclegan_generator if name.startswith("G") else cyclegan_discriminator_of
    try:
        network: nn.Module = read(name, state)
    except OfficialCheckpointError as error:
        raise file.error(_EXPECTED, f"that {str(error).removesuffix('.')}") from None
    return network


def _joined(hashes: Iterable[str]) -> str:
    return hashlib.sha256("".join(hashes).encode()).hexdigest()
