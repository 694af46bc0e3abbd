"""Decide where models run and how exactly, from what is installed and what answers."""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from app.engine.runtime import openvino
from app.settings.settings import PrecisionName, ProviderName

CPU: Final = "CPUExecutionProvider"
OPENVINO: Final = openvino.PROVIDER
CUDA: Final = "CUDAExecutionProvider"
TENSORRT: Final = "TensorrtExecutionProvider"

_BY_NAME: Final[Mapping[str, str]] = {"cpu": CPU, "openvino": OPENVINO, "cuda": CUDA, "tensorrt": TENSORRT}
_PRECISIONS: Final[Mapping[str, tuple[str, ...]]] = {
    CPU: ("float32",),
    OPENVINO: ("float32", "bfloat16"),
    CUDA: ("float32",),
    TENSORRT: ("float32", "float16"),
}
"""What each provider can be told to compute in; the graphs themselves hold float32."""


class ProviderRefused(ValueError):
    """The wanted provider cannot be used here. The message is one sentence with the remedy."""


class Answers(NamedTuple):
    """What this machine has, beside what onnxruntime was built with."""

    cuda: int
    """How many devices the CUDA driver sees; 0 without a driver."""
    tensorrt: bool
    """TensorRT's libraries can be loaded."""
    openvino: bool = False
    """OpenVINO's plug-in is installed and offers this CPU."""
    amx: bool = False
    """The CPU multiplies matrices of bfloat16 in tiles."""


class Candidate(NamedTuple):
    """A way to run models that is worth trying."""

    providers: tuple[str, ...]
    """In onnxruntime's order; the first is the one that must come up."""
    precision: str
    """What it computes in: float32, bfloat16 or float16."""


def choose_providers(
    requested: ProviderName,
    precision: PrecisionName = "auto",
    *,
    available: Sequence[str],
    answers: Answers,
    require_gpu: bool,
) -> list[Candidate]:
    """The ways to try in turn; the first whose first provider really comes up is used.

    Args:
        requested: auto or one provider's short name. Only `auto` ever falls back to a slower one.
        precision: auto or what must be computed in. `auto` is float32, but bfloat16 through OpenVINO on a CPU
            with AMX.
        available: what onnxruntime was built with.
        answers: what the machine has.
        require_gpu: the CPU will not do.

    Raises:
        ProviderRefused: nothing that was asked for can be had.
    """
    if require_gpu and requested in ("cpu", "openvino"):
        raise ProviderRefused("UGATIT_REQUIRE_GPU is set, but UGATIT_PROVIDER asks for the CPU; unset one.")
    lists = [
        names
        for names in _lists(available, answers, require_gpu=require_gpu)
        if requested in ("auto", _short(names[0]))
    ]
    if not lists:
        raise ProviderRefused(_why_none(requested, available, answers))
    candidates = [
        Candidate(names, wanted)
        for names in lists
        if (wanted := _precision(names[0], precision, answers)) in _PRECISIONS[names[0]]
    ]
    if not candidates:
        raise ProviderRefused(_why_not_in(precision, [names[0] for names in lists]))
    return candidates


def _lists(available: Sequence[str], answers: Answers, *, require_gpu: bool) -> Iterator[tuple[str, ...]]:
    if TENSORRT in available and answers.cuda and answers.tensorrt:
        yield TENSORRT, CUDA, CPU
    if CUDA in available and answers.cuda:
        yield CUDA, CPU
    if require_gpu:
        return
    if answers.openvino:
        yield OPENVINO, CPU
    yield (CPU,)


def _precision(provider: str, requested: PrecisionName, answers: Answers) -> str:
    if requested != "auto":
        return requested
    return "bfloat16" if provider == OPENVINO and answers.amx else "float32"


def _why_none(requested: str, available: Sequence[str], answers: Answers) -> str:
    wanted = f"UGATIT_PROVIDER asks for {requested}" if requested != "auto" else "UGATIT_REQUIRE_GPU is set"
    if requested == "openvino":
        return (
            f"{wanted}, but its plug-in, onnxruntime-ep-openvino, is missing or does not know this CPU; "
            "use UGATIT_PROVIDER=cpu."
        )
    if _BY_NAME.get(requested, CUDA) not in available:
        return f"{wanted}, but this onnxruntime is built without it; install onnxruntime-gpu."
    if not answers.cuda:
        return f"{wanted}, but no CUDA device answers; check the driver, or let the container see the GPU."
    return f"{wanted}, but TensorRT's libraries are not installed; use UGATIT_PROVIDER=cuda."


def _why_not_in(precision: str, providers: Sequence[str]) -> str:
    able = [_short(name) for name, precisions in _PRECISIONS.items() if precision in precisions]
    here = ", ".join(_short(name) for name in providers)
    return (
        f"UGATIT_PRECISION asks for {precision}, which only {' and '.join(able)} can compute in, but here "
        f"there is {here}; use UGATIT_PRECISION=float32."
    )


def check_devices(devices: Sequence[int], answers: Answers) -> None:
    """See that every device asked for is there.

    Raises:
        ProviderRefused: one is not.
    """
    for device in devices:
        if device >= answers.cuda:
            raise ProviderRefused(
                f"UGATIT_DEVICES names the GPU {device}, but the driver sees {answers.cuda}, counted from 0."
            )


def _short(provider: str) -> str:
    return next(name for name, full in _BY_NAME.items() if full == provider)


def probe(*, with_openvino: bool = True) -> Answers:
    """Ask the machine quietly: onnxruntime itself would print alarming errors where there is no GPU.

    Args:
        with_openvino: load OpenVINO's plug-in to ask it, which takes a fifth of a second.
    """
    return Answers(
        cuda=len(cuda_devices()),
        tensorrt=_loads_tensorrt(),
        openvino=with_openvino and openvino.cpu_device() is not None,
        amx=_has_amx(),
    )


def cuda_devices() -> list[str]:
    """The names of the devices that the CUDA driver sees, by number; none without a driver."""
    driver = _first(ctypes.CDLL, "libcuda.so.1", "nvcuda.dll")
    count = ctypes.c_int(0)
    if driver is None or driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return []
    return [_name(driver, number) for number in range(count.value)]


def _name(driver: ctypes.CDLL, number: int) -> str:
    device, name = ctypes.c_int(0), ctypes.create_string_buffer(256)
    if driver.cuDeviceGet(ctypes.byref(device), number) or driver.cuDeviceGetName(name, len(name), device):
        return "unknown"
    return name.value.decode(errors="replace")


def _loads_tensorrt() -> bool:
    """Whether both libraries that the provider links to can be loaded; once loaded, it finds them by name."""
    return all(
        _first(ctypes.CDLL, f"lib{name}.so.10", f"{name}_10.dll", *_in_wheel(f"lib{name}.so.10")) is not None
        for name in ("nvinfer", "nvinfer_plugin", "nvonnxparser")
    )


def _in_wheel(library: str) -> list[str]:
    """Where the tensorrt extra's wheel puts a library, which no loader searches by itself."""
    found = importlib.util.find_spec("tensorrt_libs")
    places = found.submodule_search_locations if found is not None else None
    return [str(Path(place) / library) for place in places or ()]


def _has_amx(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    try:
        return "amx_bf16" in cpuinfo.read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return False


def _first(load: Callable[[str], ctypes.CDLL], *names: str) -> ctypes.CDLL | None:
    for name in names:
        try:
            return load(name)
        except OSError:
            continue
    return None
