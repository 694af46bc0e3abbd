"""Fill a network of ours with an official state dict, whose names become ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from torch import Tensor, nn

from training.importers.errors import OfficialCheckpointError
from training.importers.pytorch_content import plain_name

State = dict[str, Tensor]
Network = TypeVar("Network", bound=nn.Module)

_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
"""Old files hold these of instance normalisations, which never use them."""


def rename(state: Mapping[str, Tensor], names: Sequence[tuple[str, str]]) -> State:
    """Return a state dict in our names and in float32, without unused statistics.

    Args:
        state: tensors by official name; what wrapping a network puts before a name is dropped.
        names: patterns of the starts of official names, and ours. The first that matches is used; a name
            that none matches is kept.
    """
    plain = {plain_name(key): value for key, value in state.items()}
    return {
        _renamed(key, names): value.float()
        for key, value in plain.items()
        if key.rpartition(".")[2] not in _STATISTICS
    }


def _renamed(key: str, names: Sequence[tuple[str, str]]) -> str:
    for pattern, ours in names:
        renamed, done = re.subn(f"^{pattern}", ours, key)
        if done:
            return renamed
    return key


def fill(name: str, network: Network, state: State) -> Network:
    """Load a renamed state dict into a network and return it in evaluation mode.

    Raises:
        OfficialCheckpointError: a parameter is missing, unknown or of another shape.
    """
    own = network.state_dict()
    for problem, keys in (("lacks", own.keys() - state.keys()), ("has", state.keys() - own.keys())):
        if keys:
            raise OfficialCheckpointError(f"{name} {problem} {_few(keys)}: its architecture is another one.")
    for key, value in own.items():
        if value.shape != state[key].shape:
            found, expected = tuple(state[key].shape), tuple(value.shape)
            raise OfficialCheckpointError(f"{name}: expected {key} of shape {expected}, found {found}.")
    network.load_state_dict(state)
    return network.eval()


def sizes_of(name: str, state: Mapping[str, Tensor], key: str) -> tuple[int, int]:
    """Return the output and input channels of a convolution.

    Raises:
        OfficialCheckpointError: the state dict has no such convolution.
    """
    weight = {plain_name(each): value for each, value in state.items()}.get(key)
    if weight is None or weight.dim() < 2:
        raise OfficialCheckpointError(f"{name} lacks {key}: its architecture is another one.")
    return weight.shape[0], weight.shape[1]


def positions(state: Mapping[str, Tensor], pattern: str) -> list[int]:
    """Return the numbers that a pattern's group finds at the start of the names, in order."""
    found = (re.match(pattern, plain_name(key)) for key in state)
    return sorted({int(match[1]) for match in found if match})


def _few(names: Iterable[str]) -> str:
    ordered = sorted(names)
    return ", ".join(ordered[:3]) + (f" and {len(ordered) - 3} more" if len(ordered) > 3 else "")
