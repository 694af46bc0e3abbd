"""Decide where models run, from what is installed and what answers."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

CPU: Final = "CPUExecutionProvider"
CUDA: Final = "CUDAExecutionProvider"
TENSORRT: Final = "TensorrtExecutionProvider"

_BY_NAME: Final[Mapping[str, str]] = {"cpu": CPU, "cuda": CUDA, "tensorrt": TENSORRT}


class ProviderRefused(ValueError):
    """The wanted provider cannot be used here. The message is one sentence with the remedy."""


class Answers(NamedTuple):
    """What this machine has, beside what onnxruntime was built with."""

    cuda: bool
    """A CUDA driver is installed and sees at least one device."""
    tensorrt: bool
    """TensorRT's libraries can be loaded."""


def choose_providers(
    requested: str, *, available: Sequence[str], answers: Answers, require_gpu: bool
) -> list[tuple[str, ...]]:
    """The provider lists to try in turn; the first whose first provider really comes up is used.

    Args:
        requested: auto, cpu, cuda or tensorrt. Only `auto` ever falls back to the CPU.
        available: what onnxruntime was built with.
        answers: what the machine has.
        require_gpu: the CPU will not do.

    Raises:
        ProviderRefused: nothing that was asked for can be had.
    """
    if requested == "cpu":
        if require_gpu:
            raise ProviderRefused(
                "UGATIT_REQUIRE_GPU is set, but UGATIT_PROVIDER asks for the CPU; unset one."
            )
        return [(CPU,)]
    lists = [names for names in _gpu_lists(available, answers) if requested in ("auto", _short(names[0]))]
    if requested == "auto" and not require_gpu:
        lists.append((CPU,))
    if not lists:
        raise ProviderRefused(_why_none(requested, available, answers))
    return lists


def _gpu_lists(available: Sequence[str], answers: Answers) -> list[tuple[str, ...]]:
    lists: list[tuple[str, ...]] = []
    if TENSORRT in available and answers.cuda and answers.tensorrt:
        lists.append((TENSORRT, CUDA, CPU))
    if CUDA in available and answers.cuda:
        lists.append((CUDA, CPU))
    return lists


def _why_none(requested: str, available: Sequence[str], answers: Answers) -> str:
    wanted = f"UGATIT_PROVIDER asks for {requested}" if requested != "auto" else "UGATIT_REQUIRE_GPU is set"
    if _BY_NAME.get(requested, CUDA) not in available:
        return f"{wanted}, but this onnxruntime is built without it; install onnxruntime-gpu."
    if not answers.cuda:
        return f"{wanted}, but no CUDA device answers; check the driver, or let the container see the GPU."
    return f"{wanted}, but TensorRT's libraries are not installed; use UGATIT_PROVIDER=cuda."


def _short(provider: str) -> str:
    return next(name for name, full in _BY_NAME.items() if full == provider)


def provider_options(provider: str, device: int) -> dict[str, str]:
    """The options that onnxruntime gets for a provider."""
    if provider == CPU:
        return {}
    options = {"device_id": str(device)}
    if provider == CUDA:
        options |= {
            "arena_extend_strategy": "kSameAsRequested",  # fixed shapes: doubling would only waste memory
            "use_tf32": "0",  # ten bits of mantissa would not pass the canary
            "cudnn_conv_algo_search": "EXHAUSTIVE",  # shapes are few and warmed up at the start
        }
    return options


def probe() -> Answers:
    """Ask the machine quietly: onnxruntime itself would print alarming errors where there is no GPU."""
    return Answers(cuda=_cuda_devices() > 0, tensorrt=_loads("libnvinfer.so.10", "nvinfer_10.dll"))


def _cuda_devices() -> int:
    """How many devices the CUDA driver sees; 0 without a driver."""
    driver = _first(ctypes.CDLL, "libcuda.so.1", "nvcuda.dll")
    count = ctypes.c_int(0)
    if driver is None or driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def _loads(*names: str) -> bool:
    return _first(ctypes.CDLL, *names) is not None


def _first(load: Callable[[str], ctypes.CDLL], *names: str) -> ctypes.CDLL | None:
    for name in names:
        try:
            return load(name)
        except OSError:
            continue
    return None
