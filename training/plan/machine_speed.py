"""Measure how fast this machine is: by one residual block, or by real steps."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

import torch
from torch import Tensor

from models.networks.generator import EncoderBlock
from training.config.compute_settings import choose_settings
from training.config.run_config import RunConfig
from training.data.folder import DOMAINS
from training.methods.method import Batch
from training.methods.ugatit.method import Ugatit

OVERHEAD: Final = 1.7
"""How many times longer a step takes than its FLOPs would at the speed of a residual block: large maps of few
channels, spectral normalisation and the optimizer move memory and count few FLOPs. It was 1.0 to 2.2 on one
busy core with AMX, in float32 and bfloat16, with 16 to 64 channels at 64 and 128 px."""
_CONVOLUTIONS: Final = 2
"""In the block."""
_PASSES: Final = 3
"""Of a convolution: forwards, and backwards to its input and to its weights."""
_CALIBRATION_TIMES: Final = 2
_CALIBRATION_SECONDS: Final = 0.1
_CALIBRATION_ELEMENTS: Final = 1 << 20
"""Of the block's input: more pictures take longer and are not computed faster."""


class MeasuredSteps(NamedTuple):
    """What real steps took."""

    step_seconds: float
    peak_bytes: int
    """The largest that the process has been; all of it, the libraries included."""


def block_flops_per_second(config: RunConfig) -> float:
    """Return the FLOPs a second of a residual block, forwards and backwards, as this CPU computes the run.

    One thread is tried too: where another program uses the cores, several threads wait for each other for
    far longer than the run's large maps would let them.
    """
    speed = choose_settings(config.speed)
    channels, side = 4 * config.ugatit.generator.channels, config.data.size // 4
    pictures = max(1, min(config.batch, _CALIBRATION_ELEMENTS // (channels * side * side)))
    with torch.random.fork_rng(devices=[]):
        block = EncoderBlock(config.ugatit.generator)
        x = torch.randn(pictures, channels, side, side)  # [B, 4c, S/4, S/4]
    speed.prepare(block)
    x = speed.lay_out(x).requires_grad_()

    def once() -> None:
        with speed.autocast():
            result: Tensor = block(x)
        torch.autograd.backward(result.float().sum())

    fastest = _fastest(once)
    with single_thread():
        fastest = min(fastest, _fastest(once))
    convolution = 2 * pictures * side * side * channels * channels * 9
    return _CONVOLUTIONS * _PASSES * convolution / fastest


def _fastest(work: Callable[[], None]) -> float:
    """The least seconds of several calls: what else runs on the machine now need not run then."""
    times: list[float] = []
    while len(times) < _CALIBRATION_TIMES or sum(times) < _CALIBRATION_SECONDS:
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


@contextmanager
def single_thread() -> Iterator[None]:
    """Compute in one thread meanwhile."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def measure_steps(config: RunConfig, *, steps: int = 2) -> MeasuredSteps:
    """Do a few real steps on random pictures, as this CPU would do them, after one that does not count."""
    method = Ugatit(config.ugatit, speed=choose_settings(config.speed))
    shape = (config.batch * config.accumulate, 3, config.data.size, config.data.size)
    times = []
    for _ in range(1 + steps):
        batch: Batch = {domain: torch.rand(shape) * 2 - 1 for domain in DOMAINS}
        started = time.perf_counter()
        method.step(batch, progress=0.0, accumulate=config.accumulate)
        times.append(time.perf_counter() - started)
    return MeasuredSteps(statistics.mean(times[1:]), peak_bytes())


def peak_bytes() -> int:
    """The largest that this process has been."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
