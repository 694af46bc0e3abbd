"""Several processes, through torch.distributed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import torch
from torch import Tensor, distributed, nn

from training.parallel.processes import ProcessLostError, TroubleElsewhere

BUCKET: Final = 1 << 24
"""Elements that are reduced in one go: large enough for the network, small beside the weights."""


class Group:
    """One of the processes of torch.distributed's default group, which exists.

    The step has frozen discriminators, several passes through each network and two backward passes, which
    torch's own wrapper around a network does not expect. So gradients are averaged here, once before each
    step of an optimizer.
    """

    def __init__(self, device: torch.device, *, local_count: int | None = None) -> None:
        """
        Args:
            device: where this process computes.
            local_count: processes on this machine; None where all of them run on it.
        """
        self.device = device
        self.rank = distributed.get_rank()
        self.count = distributed.get_world_size()
        self.local_count = local_count or self.count

    def mean(self, terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Scalars averaged over all processes, detached; what is not finite in one is so in all."""
        values = torch.stack([term.detach() for term in terms.values()])
        self._average(values)
        return dict(zip(terms, values.unbind(), strict=True))

    def mean_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its mean over all processes; all get the same bits."""
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        for bucket in _buckets(gradients):
            flat = torch.cat([gradient.reshape(-1) for gradient in bucket])
            self._average(flat)
            means = torch.split(flat, [gradient.numel() for gradient in bucket])
            for gradient, mean in zip(bucket, means, strict=True):
                gradient.copy_(mean.view(gradient.shape))

    def share(self, networks: Iterable[nn.Module]) -> None:
        """Give all processes the parameters and buffers of the first."""
        with _hearing_of_losses():
            for network in networks:
                for value in network.state_dict().values():
                    whole = value.contiguous()
                    distributed.broadcast(whole, src=0)
                    value.copy_(whole)

    def anywhere(self, asked: bool) -> bool:
        """Whether it is so in any process."""
        flag = torch.tensor(float(asked), device=self.device)
        with _hearing_of_losses():
            distributed.all_reduce(flag)
        return bool(flag)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Fail in all processes if one fails meanwhile. Nothing in between may ask the other processes.

        Raises:
            TroubleElsewhere: another process failed, or failed first and tells of it.
        """
        failure: Exception | None = None
        try:
            yield
        except Exception as error:
            failure = error
        failed: list[bool] = [False] * self.count
        with _hearing_of_losses():
            distributed.all_gather_object(failed, failure is not None)
        if failure is not None and self.rank == failed.index(True):
            raise failure
        if any(failed):
            raise TroubleElsewhere from failure

    def _average(self, values: Tensor) -> None:
        with _hearing_of_losses():
            distributed.all_reduce(values)
        values /= self.count


def _buckets(gradients: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Gradients of one type in a row, about `BUCKET` elements at a time; alike in every process."""
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
def _hearing_of_losses() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # what every backend raises when the other end is gone
        raise ProcessLostError(
            "Another process of this run has ended or cannot be reached, so this one ends too; "
            "go on with ugatit-train resume."
        ) from error
