"""Count the bytes and FLOPs of a training step on tensors without values, so that nothing is computed."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from training.config.run_config import RunConfig
from training.data.folder import DOMAINS
from training.methods.method import Batch, Method
from training.methods.progress import TYPICAL

ADAM_MOMENTS: Final = 2
"""Moments that Adam keeps of every parameter."""


class StepCosts(NamedTuple):
    """The bytes and FLOPs of one step, counted operator by operator."""

    parameters: dict[str, int]
    """Number of parameters by network."""
    weights_bytes: int
    """Bytes of all parameters and buffers."""
    average_bytes: int
    """Bytes of the running average; 0 without one."""
    gradients_bytes: int
    optimizer_bytes: int
    activations_bytes: int
    """All other bytes at the peak of a step: tensors for the backward pass, and temporaries."""
    flops: int
    """Of convolutions and matrix products, forwards and backwards; a multiply-add counts as 2."""

    @property
    def total_bytes(self) -> int:
        """Return the bytes in memory at the peak of a step."""
        return (
            self.weights_bytes
            + self.average_bytes
            + self.gradients_bytes
            + self.optimizer_bytes
            + self.activations_bytes
        )


def step_costs(config: RunConfig, *, device: str = "meta") -> StepCosts:
    """Count what a step of this config needs, in float32.

    Args:
        config: the run's.
        device: tensors on `meta` hold no values: the step allocates no memory of its size, and takes seconds.
            On `cpu` the step is computed, which is faster for the smallest networks.
    """
    with torch.device(device), torch.random.fork_rng(devices=[]):
        method = config.make_method()
        for optimizer in method.optimizers.values():
            optimizer.step = _keep_weights  # type: ignore[method-assign,assignment]
        size = config.data.size
        shape = (config.pictures_each, 3, size, size)
        batch: Batch = {name: torch.rand(shape) for name in batch_names(config)}
        with CostCounter() as count:
            method.step(batch, TYPICAL, accumulate=config.accumulate)
    return _costs(config, method, count.peak, count.flops)


def batch_names(config: RunConfig) -> list[str]:
    """Return the names of a batch's tensors: the domains and the derived sets."""
    return [*DOMAINS, *(each.name for each in config.needs.derived)]


def _keep_weights(closure: object = None) -> None:
    """Replace Adam's step: the size of its moments is known, and fused Adam needs no other memory."""


def _costs(config: RunConfig, method: Method, peak: int, flops: int) -> StepCosts:
    networks = method.networks
    learned = [parameter for network in networks.values() for parameter in network.parameters()]
    gradients = sum(_size(parameter) for parameter in learned)
    averaged = {name: networks[name] for name in method.averaged_networks} if config.average_decay else {}
    return StepCosts(
        {name: sum(p.numel() for p in network.parameters()) for name, network in networks.items()},
        _weights(networks),
        _weights(averaged),
        gradients,
        ADAM_MOMENTS * gradients,
        max(0, peak - gradients),
        flops,
    )


def _weights(networks: Mapping[str, nn.Module]) -> int:
    return sum(_size(value) for network in networks.values() for value in network.state_dict().values())


def _size(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


class CostCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the FLOPs of operators, and the bytes of their results until these are freed."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.live = self.peak = self.flops = 0
        self._known: dict[int, weakref.ref[Any]] = {}

    def __torch_dispatch__(
        self, operator: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if operator is torch.ops.aten._local_scalar_dense.default and args[0].is_meta:
            return True  # the step reads one value of the networks only: whether a loss is finite
        result = operator(*args, **(kwargs or {}))
        counted = flop_registry.get(operator._overloadpacket)
        if counted is not None:
            self.flops += counted(*args, **(kwargs or {}), out_val=result)
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self._watch(tensor.untyped_storage())
        return result

    def _watch(self, storage: torch.UntypedStorage) -> None:
        key = id(storage)
        if key in self._known:
            return
        size = storage.nbytes()

        def freed(_: object) -> None:
            self.live -= size
            del self._known[key]

        self._known[key] = weakref.ref(storage, freed)
        self.live += size
        self.peak = max(self.peak, self.live)
