"""Measure the speed of this machine by one residual block, or by real steps."""

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

from models.networks.config import GeneratorConfig
from models.networks.generator import EncoderBlock
from training.config.compute_settings import choose_settings
from training.config.run_config import RunConfig
from training.methods.method import Batch
from training.methods.progress import TYPICAL
from training.plan.step_costs import batch_names

OVERHEAD: Final = 1.7
"""Time of a step over the time of its FLOPs at the speed of a residual block. Large maps of few channels,
spectral normalisation and the optimizer move memory and count few FLOPs. Measured: 1.0 to 2.2 on one busy
core with AMX, in float32 and bfloat16, with 16 to 64 channels at 64 and 128 px."""
_CONVOLUTIONS: Final = 2
"""Convolutions in a residual block."""
_PASSES: Final = 3
"""Passes of a convolution: forwards, backwards to its input, backwards to its weights."""
_CALIBRATION_TIMES: Final = 2
_CALIBRATION_SECONDS: Final = 0.1
_CALIBRATION_ELEMENTS: Final = 1 << 20
"""Most elements of the block's input: more pictures take longer and do not raise the speed."""


class MeasuredSteps(NamedTuple):
    """The time and memory of real steps."""

    step_seconds: float
    peak_bytes: int
    """Peak memory of the whole process, libraries included."""


def block_flops_per_second(config: RunConfig) -> float:
    """Return the FLOPs per second of a residual block, both ways, with the run's compute settings.

    It takes the faster of all threads and one thread: where another program uses the cores, several threads
    wait for each other far longer on this small block than on the run's large maps.
    """
    speed = choose_settings(config.speed)
    base = config.method_config.base_channels
    channels, side = 4 * base, config.data.size // 4
    pictures = max(1, min(config.batch, _CALIBRATION_ELEMENTS // (channels * side * side)))
    with torch.random.fork_rng(devices=[]):
        block = EncoderBlock(GeneratorConfig(channels=base))
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
    """Return the seconds of the fastest of several calls, which other programs slowed least."""
    times: list[float] = []
    while len(times) < _CALIBRATION_TIMES or sum(times) < _CALIBRATION_SECONDS:
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


@contextmanager
def single_thread() -> Iterator[None]:
    """Compute in one thread within this context."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def measure_steps(config: RunConfig, *, steps: int = 2, device: str = "cpu") -> MeasuredSteps:
    """Measure real steps on random pictures on this device, after one step that is not counted."""
    method = config.make_method(speed=choose_settings(config.speed, device))
    for network in method.networks.values():
        network.to(device)
    shape = (config.pictures_each, 3, config.data.size, config.data.size)
    times = []
    for _ in range(1 + steps):
        batch: Batch = {name: (torch.rand(shape) * 2 - 1).to(device) for name in batch_names(config)}
        started = time.perf_counter()
        terms = method.step(batch, TYPICAL, accumulate=config.accumulate)
        sum(float(term) for term in terms.values())  # waits for a GPU
        times.append(time.perf_counter() - started)
    return MeasuredSteps(statistics.mean(times[1:]), peak_bytes())


def peak_bytes() -> int:
    """Return the peak memory of this process in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
