"""Read the files of UNIT and MUNIT: `gen_XXXXXXXX.pt` and `dis_XXXXXXXX.pt`, each `{a, b}` of state dicts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from torch import Tensor, nn

from models.files.text import as_text
from training.importers.errors import OfficialCheckpointError
from training.importers.munit import scales_discriminator_of
from training.importers.state_file import State, StateFile, read_state_file, tensors_of

DOMAINS: Final = {"a": "A", "b": "B"}
"""Our names of the domains, by the official ones."""

ReadGenerator = Callable[[str, Mapping[str, Tensor]], nn.Module]
"""Returns the generator of a state dict, from its name for messages and the state dict."""


class DomainFiles(NamedTuple):
    """The networks of official files, and what the files say about themselves."""

    networks: dict[str, nn.Module]
    """By our names, in evaluation mode: `gen_A`, `dis_A`."""
    sha256: str
    """Of the file of the generators, or of the first file without one."""
    steps: int | None
    """The training steps in that file's name."""


def read_domain_files(
    paths: Sequence[Path], *, method: str, sign: str, generator: ReadGenerator
) -> DomainFiles:
    """Read the generators of one file and the discriminators of another, in any order.

    Args:
        paths: one or two files.
        method: the method's name for people.
        sign: the start of a name that only the generators of the method have, such as `enc_style.`.
        generator: makes a generator.

    Raises:
        OfficialCheckpointError: a file is not of this method, or there are two of one kind.
    """
    networks: dict[str, nn.Module] = {}
    found: dict[str, StateFile] = {}
    expected = f"a gen_*.pt or dis_*.pt of {method}, a dict of the state dicts a and b"
    for path in paths:
        file = read_state_file(path, expected)
        kind, states = _kind_and_states(file, sign, expected)
        if kind in found:
            raise OfficialCheckpointError(
                f"{as_text(path)} and {as_text(found[kind].path)} hold the same networks; give one of them."
            )
        found[kind] = file
        make = generator if kind == "gen" else scales_discriminator_of
        networks |= {
            f"{kind}_{DOMAINS[domain]}": make(f"{as_text(path)}: {domain}", state)
            for domain, state in states.items()
        }
    first = found.get("gen") or next(iter(found.values()))
    return DomainFiles(networks, first.sha256, _steps(first.path))


def _kind_and_states(file: StateFile, sign: str, expected: str) -> tuple[str, dict[str, State]]:
    """Return `gen` or `dis`, and the state dicts by their official names."""
    if not file.content.keys() >= DOMAINS.keys():
        raise file.error(expected)
    states = {domain: tensors_of(file, file.content[domain], expected) for domain in DOMAINS}
    for start, kind in ((sign, "gen"), ("cnns.", "dis")):
        if all(any(name.startswith(start) for name in state) for state in states.values()):
            return kind, states
    raise file.error(expected)


def _steps(path: Path) -> int | None:
    match = re.fullmatch(r"(?:gen|dis)_(\d{8})\.pt", path.name)
    return int(match[1]) if match else None
