"""Collective operations of several processes, through torch.distributed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import torch
from torch import Tensor, distributed, nn

from training.parallel.processes import OtherProcessError, ProcessLostError

BUCKET: Final = 1 << 24
"""Elements per all-reduce: enough to use the network's bandwidth, and few compared with the weights."""


class ProcessGroup:
    """A process of torch.distributed's default group, which must be initialised.

    The training step freezes discriminators, runs each network several times and has two backward passes,
    which DistributedDataParallel does not support. So gradients are averaged here, once before each step of
    an optimizer.
    """

    def __init__(self, device: torch.device, *, local_count: int | None = None) -> None:
        """
        Args:
            device: the device that this process computes on.
            local_count: the number of processes on this machine; None if all run on it.
        """
        self.device = device
        self.rank = distributed.get_rank()
        self.count = distributed.get_world_size()
        self.local_count = local_count or self.count

    def mean_terms(self, terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return scalars averaged over all processes, detached; NaN or infinity in one reaches all."""
        values = torch.stack([term.detach() for term in terms.values()])
        self._average(values)
        return dict(zip(terms, values.unbind(), strict=True))

    def mean_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its mean over all processes; all processes get the same bits."""
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        for bucket in _buckets(gradients):
            flat = torch.cat([gradient.reshape(-1) for gradient in bucket])
            self._average(flat)
            means = torch.split(flat, [gradient.numel() for gradient in bucket])
            for gradient, mean in zip(bucket, means, strict=True):
                gradient.copy_(mean.view(gradient.shape))

    def broadcast(self, networks: Iterable[nn.Module]) -> None:
        """Copy parameters and buffers from process 0 to all others."""
        with _raising_process_lost():
            for network in networks:
                for value in network.state_dict().values():
                    contiguous = value.contiguous()
                    distributed.broadcast(contiguous, src=0)
                    value.copy_(contiguous)

    def any_process(self, flag: bool) -> bool:
        """Return whether the flag is true in any process."""
        count = torch.tensor(float(flag), device=self.device)
        with _raising_process_lost():
            distributed.all_reduce(count)
        return bool(count)

    @contextmanager
    def fail_together(self) -> Iterator[None]:
        """Fail in all processes if the block fails in one. The block must not use collective operations.

        Raises:
            OtherProcessError: another process failed. If several fail, the lowest rank raises its own error.
        """
        failure: Exception | None = None
        try:
            yield
        except Exception as error:
            failure = error
        failed: list[bool] = [False] * self.count
        with _raising_process_lost():
            distributed.all_gather_object(failed, failure is not None)
        if failure is not None and self.rank == failed.index(True):
            raise failure
        if any(failed):
            raise OtherProcessError from failure

    def _average(self, values: Tensor) -> None:
        with _raising_process_lost():
            distributed.all_reduce(values)
        values /= self.count


def _buckets(gradients: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Yield gradients of one dtype, about `BUCKET` elements at a time, in the same order in every process."""
    bucket: list[Tensor] = []
    elements = 0
    for gradient in sorted(gradients, key=lambda each: str(each.dtype)):
        if bucket and (elements + gradient.numel() > BUCKET or gradient.dtype != bucket[0].dtype):
            yield bucket
            bucket, elements = [], 0
        bucket.append(gradient)
        elements += gradient.numel()
    if bucket:
        yield bucket


@contextmanager
def _raising_process_lost() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # every backend raises this when the connection is lost
        raise ProcessLostError(
            "Another process of this run has ended or cannot be reached, so this process ends too; "
            "continue the run with ugatit-train resume."
        ) from error
