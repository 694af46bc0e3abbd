"""The stream of batches for the training loop."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from models.files.walk import name_below
from training.data.config import DataConfig
from training.data.derived import DerivedSet
from training.data.folder import DOMAINS, Domain
from training.data.folder import domain as named_domain
from training.data.prefetch import Prefetcher
from training.data.random_draws import picture_index
from training.data.samples import DerivedSamples, Samples
from training.data.scan import ScanResult
from training.data.tensors import to_tensor

Batch = dict[str, Tensor]


class _Request(NamedTuple):
    """One batch of all processes together, by the numbers of its first samples."""

    A: int  # number of its first sample in each domain
    B: int
    size: int  # for each process

    def first(self, domain: Domain) -> int:
        return self.A if domain == "A" else self.B


class Stream:
    """Batches that depend on the seed only.

    Order and augmentation follow from the seed and the sample's number: threads, cache, stopping and resuming
    do not change them. Each of several processes takes its part of every batch; in rank order, these parts
    are the batch that a single process with the summed batch size would take.

    Use as a context manager, or `close` it: it owns threads. For one caller.
    """

    def __init__(
        self,
        pictures: ScanResult,
        config: DataConfig,
        *,
        seed: int,
        rank: int = 0,
        world_size: int = 1,
        derived: Sequence[DerivedSet] = (),
    ) -> None:
        """
        Args:
            pictures: of the data set.
            config: how they become batches.
            seed: the run's.
            rank: of this process.
            world_size: the number of processes.
            derived: the sets to compute from a domain's pictures; each is in every batch by its name.
        """
        assert 0 <= rank < world_size
        self._pictures, self._seed = pictures, seed
        self._samples = Samples(pictures.train, config, seed=seed)
        self._sets = {each.name: DerivedSamples(each, pictures.train, config, seed=seed) for each in derived}
        self._rank, self._world_size = rank, world_size
        self._cursors: dict[Domain, int] = dict.fromkeys(DOMAINS, 0)
        self._last = _Request(0, 0, 0)
        self._workers = ThreadPoolExecutor(config.workers, "ugatit-data") if config.workers else None
        self._prefetcher = (
            Prefetcher(self._make, self._following, ahead=config.prefetch_batches) if config.workers else None
        )

    def next_batch(self, batch_size: int) -> Batch:
        """Return this process's part of the next batch: "A" and "B" float32 [batch_size, 3, S, S], -1 to 1.

        Derived sets are in it by their names.

        Raises `DataError` where a picture can no longer be read; the next call then tries the same batch.
        """
        assert batch_size > 0
        request = _Request(self._cursors["A"], self._cursors["B"], batch_size)
        batch = self._prefetcher.take(request) if self._prefetcher else self._make(request)
        following = self._following(request)
        self._cursors = {domain: following.first(domain) for domain in DOMAINS}
        self._last = request
        return batch

    def last_pictures(self) -> list[str]:
        """Return the pictures of the last batch, of all processes, as paths below the data set's folder."""
        paths = [
            self._path(domain, self._last.first(domain) + offset)
            for domain in DOMAINS
            for offset in range(self._last.size * self._world_size)
        ]
        return [name_below(path, self._pictures.folder) for path in paths]

    def state_dict(self) -> dict[str, int]:
        """Return how many samples of each domain all processes have taken; equal in each of them."""
        return {domain: self._cursors[domain] for domain in DOMAINS}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Continue after the state of another stream of the same pictures, config and seed."""
        self._cursors = {domain: state[domain] for domain in DOMAINS}

    def close(self) -> None:
        """Stop the threads."""
        if self._workers is not None:
            self._workers.shutdown(cancel_futures=True)
        if self._prefetcher is not None:
            self._prefetcher.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _path(self, domain: Domain, number: int) -> Path:
        paths = self._pictures.train[domain]
        return paths[picture_index(self._seed, domain, number, len(paths))]

    def _following(self, request: _Request) -> _Request:
        step = request.size * self._world_size
        return _Request(request.A + step, request.B + step, request.size)

    def _make(self, request: _Request) -> Batch:
        firsts: dict[str, int] = {domain: request.first(domain) for domain in DOMAINS}
        firsts |= {name: request.first(each.domain) for name, each in self._sets.items()}
        samples = [
            (name, first + self._rank * request.size + offset)
            for name, first in firsts.items()
            for offset in range(request.size)
        ]
        pictures = list(
            self._workers.map(self._sample, samples) if self._workers else map(self._sample, samples)
        )
        parts = (pictures[at : at + request.size] for at in range(0, len(pictures), request.size))
        return {name: to_tensor(part) for name, part in zip(firsts, parts, strict=True)}

    def _sample(self, sample: tuple[str, int]) -> NDArray[np.uint8]:
        name, number = sample
        if name in self._sets:
            return self._sets[name].sample(number)
        return self._samples.sample(named_domain(name), number)
