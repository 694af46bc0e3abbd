"""How fast this machine is: by a convolution's speed, or by real steps."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from typing import Final, NamedTuple

import torch
from torch.nn import functional as F  # noqa: N812

from training.config import RunConfig
from training.data.folder import DOMAINS
from training.methods.method import Batch
from training.methods.ugatit import Ugatit
from training.speed import choose

OVERHEAD: Final = 2.0
"""How many times longer a step takes than its FLOPs would at the speed of a convolution: normalisation,
padding and the optimizer move memory and count none. It was 1.8 to 2.2 of one core's time, with 16 and 32
channels at 64 and 128 px."""
_CALIBRATION_SECONDS: Final = 0.5


class Measured(NamedTuple):
    """What real steps took."""

    step_seconds: float
    peak_bytes: int
    """The largest that the process has been; all of it, the libraries included."""


def convolution_speed(config: RunConfig) -> float:
    """FLOPs a second of the networks' most frequent convolution, forwards and backwards, on the CPU."""
    channels, side = 4 * config.ugatit.generator.channels, config.data.size // 4
    x = torch.randn(config.batch, channels, side, side, requires_grad=True)
    weight = torch.randn(channels, channels, 3, 3, requires_grad=True)
    flops = 3 * 2 * config.batch * side * side * channels * channels * 9
    times: list[float] = []
    while len(times) < 4 or sum(times) < _CALIBRATION_SECONDS:
        started = time.perf_counter()
        torch.autograd.backward(F.conv2d(x, weight, padding=1).sum())
        times.append(time.perf_counter() - started)
    return flops / min(times)  # what else runs on the machine now need not run then


def measure(config: RunConfig, *, steps: int = 2) -> Measured:
    """Do a few real steps on random pictures, as this CPU would do them, after one that does not count."""
    method = Ugatit(config.ugatit, speed=choose(config.speed))
    shape = (config.batch * config.accumulate, 3, config.data.size, config.data.size)
    times = []
    for _ in range(1 + steps):
        batch: Batch = {domain: torch.rand(shape) * 2 - 1 for domain in DOMAINS}
        started = time.perf_counter()
        method.step(batch, progress=0.0, parts=config.accumulate)
        times.append(time.perf_counter() - started)
    return Measured(statistics.mean(times[1:]), peak_bytes())


def peak_bytes() -> int:
    """The largest that this process has been."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
