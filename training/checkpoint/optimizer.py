"""A torch optimizer as a checkpoint's content, and back, bit for bit."""

from __future__ import annotations

from typing import Any, Final

import torch
from pydantic import JsonValue
from torch import Tensor
from torch.optim import Optimizer

from training.checkpoint.content import Packed
from training.checkpoint.errors import CheckpointError

_REMEMBERED: Final = ("params", "lr", "initial_lr")
"""Of a group's values those that a checkpoint tells. All others are the optimizer's own: how it computes, and
what its config says, which may have been changed since."""

_MISFIT: Final = "The optimizer's state in the checkpoint is of other networks than these: "


def pack_optimizer(optimizer: Optimizer) -> Packed:
    """Take an optimizer's state apart. The tensors are its own, no copies: save them before its next step.

    Names are `state.PARAMETER.NAME` and, for a learning rate that is a tensor, `group.GROUP.NAME`.
    """
    found = optimizer.state_dict()
    tensors: dict[str, Tensor] = {}
    state: dict[str, JsonValue] = {
        str(index): _without_tensors(entry, f"state.{index}", tensors)
        for index, entry in found["state"].items()
    }
    groups: list[JsonValue] = [
        _without_tensors(group, f"group.{index}", tensors)
        for index, group in enumerate(found["param_groups"])
    ]
    return Packed(tensors, {"state": state, "groups": groups})


def _without_tensors(entry: dict[str, Any], prefix: str, tensors: dict[str, Tensor]) -> dict[str, JsonValue]:
    rest: dict[str, JsonValue] = {}
    for name, value in entry.items():
        if isinstance(value, Tensor):
            tensors[f"{prefix}.{name}"] = value
        else:
            rest[name] = list(value) if isinstance(value, tuple) else value
    return rest


def unpack_optimizer(optimizer: Optimizer, packed: Packed) -> None:
    """Put a state back into an optimizer over the same parameters in the same order; it shares no memory.

    For optimizers that remember one number, or one for each element, of a parameter: Adam, SGD and their kin.

    Raises:
        CheckpointError: the state belongs to an optimizer of other parameters.
    """
    scalars: dict[str, Any] = dict(packed.scalars)
    now = optimizer.param_groups
    if [len(group["params"]) for group in scalars["groups"]] != [len(group["params"]) for group in now]:
        raise CheckpointError(_MISFIT + "there are more parameters, or fewer.")
    parameters = [parameter for group in now for parameter in group["params"]]
    state = {int(index): dict(rest) for index, rest in scalars["state"].items()}
    groups = [
        _for_this_optimizer(group, template) for group, template in zip(scalars["groups"], now, strict=True)
    ]
    for key, value in packed.tensors.items():
        kind, index, name = key.split(".", 2)
        if kind == "state":
            state[int(index)][name] = _as_parameter_lies(value, parameters[int(index)], name)
        else:
            groups[int(index)][name] = value.clone()
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _for_this_optimizer(group: dict[str, Any], template: dict[str, Any]) -> dict[str, Any]:
    return group | {name: value for name, value in template.items() if name not in _REMEMBERED}


def _as_parameter_lies(value: Tensor, parameter: Tensor, name: str) -> Tensor:
    """A copy in the parameter's own memory layout.

    Fused Adam on the CPU goes through both by address: over a channels_last parameter, a contiguous moment
    would meet the wrong elements without a word.
    """
    if value.dim() == 0:
        return value.clone()
    if value.shape != parameter.shape:
        found, expected = tuple(value.shape), tuple(parameter.shape)
        raise CheckpointError(f"{_MISFIT}{name} has the shape {found} where a parameter has {expected}.")
    return torch.empty_like(parameter, dtype=value.dtype, device=value.device).copy_(value)
