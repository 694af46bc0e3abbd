"""Save a torch optimizer as a checkpoint's content, and restore it bit for bit."""

from __future__ import annotations

from typing import Any, Final

import torch
from pydantic import JsonValue
from torch import Tensor
from torch.optim import Optimizer

from training.checkpoint.content import Packed
from training.checkpoint.errors import CheckpointError

_RESTORED: Final = ("params", "lr", "initial_lr")
"""The values of a parameter group that are restored from a checkpoint. All others keep the optimizer's
values: how it computes, and what its config says, which may have changed since."""

_MISMATCH: Final = "The optimizer's state in the checkpoint does not match these networks: "


def pack_optimizer(optimizer: Optimizer) -> Packed:
    """Return an optimizer's state. Its tensors are not copied: save them before the optimizer's next step.

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
    """Restore the state of an optimizer with the same parameters in the same order, copying every tensor.

    This works for optimizers whose state per parameter is a number or a tensor of its shape, as Adam and SGD.

    Raises:
        CheckpointError: the state is of an optimizer with other parameters.
    """
    scalars: dict[str, Any] = dict(packed.scalars)
    now = optimizer.param_groups
    if [len(group["params"]) for group in scalars["groups"]] != [len(group["params"]) for group in now]:
        raise CheckpointError(_MISMATCH + "the number of parameters differs.")
    parameters = [parameter for group in now for parameter in group["params"]]
    state = {int(index): dict(rest) for index, rest in scalars["state"].items()}
    groups = [
        _for_this_optimizer(group, template) for group, template in zip(scalars["groups"], now, strict=True)
    ]
    for key, value in packed.tensors.items():
        kind, index, name = key.split(".", 2)
        if kind == "state":
            state[int(index)][name] = _in_layout_of(value, parameters[int(index)], name)
        else:
            groups[int(index)][name] = value.clone()
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _for_this_optimizer(group: dict[str, Any], template: dict[str, Any]) -> dict[str, Any]:
    return group | {name: value for name, value in template.items() if name not in _RESTORED}


def _in_layout_of(value: Tensor, parameter: Tensor, name: str) -> Tensor:
    """Return a copy in the parameter's memory layout.

    Fused Adam on the CPU pairs elements by address: with a channels_last parameter and a contiguous moment it
    would silently combine the wrong elements.
    """
    if value.dim() == 0:
        return value.clone()
    if value.shape != parameter.shape:
        found, expected = tuple(value.shape), tuple(parameter.shape)
        raise CheckpointError(f"{_MISMATCH}{name} has shape {found}, expected {expected}.")
    return torch.empty_like(parameter, dtype=value.dtype, device=value.device).copy_(value)
