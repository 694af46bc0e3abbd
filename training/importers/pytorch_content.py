"""Find the networks' state dicts in what a PyTorch file holds, whatever was put around them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from training.importers.official import DISCRIMINATORS, GENERATORS

NETWORKS: Final = frozenset({*GENERATORS, *DISCRIMINATORS})

_AROUND: Final = ("state_dict", "model", "model_state_dict", "networks", "params", "weights", "checkpoint")
"""Names under which people put a whole checkpoint, or the state dict of one network."""
_DEPTH: Final = 4
_PREFIXES: Final = re.compile(r"(?:module\.|_orig_mod\.)+")
"""What DataParallel and torch.compile put before every name."""


def without_wrappers(content: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """Return the entries by network's name, from a checkpoint as it is or inside other entries.

    The names of one flat state dict, such as `genA2B.FC.0.weight`, are split.
    """
    for _ in range(_DEPTH):
        flat = _split(content)
        if flat.keys() & NETWORKS:
            return flat
        inner = _inside(content)
        if inner is None:
            break
        content = inner
    return content


def state_inside(state: Any) -> Any:
    """Return a network's state dict from one that may be inside other entries."""
    for _ in range(_DEPTH):
        inner = _inside(state) if isinstance(state, Mapping) else None
        if inner is None:
            break
        state = inner
    return state


def plain_name(name: object) -> str:
    """Return a parameter's name without what wrapping a network puts before it."""
    return str(name)[found.end() :] if (found := _PREFIXES.match(str(name))) else str(name)


def _inside(content: Mapping[Any, Any]) -> Mapping[Any, Any] | None:
    """Return the entry that holds the checkpoint, if there is one."""
    return next((content[name] for name in _AROUND if isinstance(content.get(name), Mapping)), None)


def _split(content: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """Return a mapping by network, if the names begin with those of networks."""
    result: dict[Any, Any] = {}
    for key, value in content.items():
        network, _, rest = plain_name(key).partition(".")
        if network not in NETWORKS:
            result[key] = value
        elif rest:
            result.setdefault(network, {})[rest] = value
        else:  # a network whose state dict is one entry
            result[network] = value
    return result
