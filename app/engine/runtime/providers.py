"""Choose the execution providers and their precision by the settings and by what the machine has."""

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
"""The precisions that each provider can compute in; the weights of the graphs are float32."""


class ProviderRefused(ValueError):
    """The chosen provider cannot be used here. The message is one sentence with the remedy."""


class Capabilities(NamedTuple):
    """The hardware and libraries of this machine, without onnxruntime itself."""

    cuda: int
    """How many devices the CUDA driver finds; 0 without a driver."""
    tensorrt: bool
    """Whether TensorRT's libraries can be loaded."""
    openvino: bool = False
    """Whether OpenVINO's plug-in is installed and supports this CPU."""
    amx: bool = False
    """Whether the CPU has AMX instructions for bfloat16 matrices."""


class Candidate(NamedTuple):
    """One choice of providers and precision."""

    providers: tuple[str, ...]
    """In onnxruntime's order; the first must work."""
    precision: str
    """float32, bfloat16 or float16."""


def choose_providers(
    requested: ProviderName,
    precision: PrecisionName = "auto",
    *,
    available: Sequence[str],
    capabilities: Capabilities,
    require_gpu: bool,
) -> list[Candidate]:
    """Return the candidates to try in turn; the first whose first provider works is used.

    Args:
        requested: auto or one provider's short name. Only `auto` falls back to a slower one.
        precision: auto or the precision that is required. `auto` is bfloat16 for OpenVINO on a CPU with AMX,
            else float32.
        available: the providers that onnxruntime was built with.
        capabilities: of the machine.
        require_gpu: whether the CPU is excluded.

    Raises:
        ProviderRefused: no candidate satisfies the settings.
    """
    if require_gpu and requested in ("cpu", "openvino"):
        raise ProviderRefused(
            "UGATIT_REQUIRE_GPU is set, but UGATIT_PROVIDER chooses the CPU; unset one of them."
        )
    provider_lists = [
        names
        for names in _provider_lists(available, capabilities, require_gpu=require_gpu)
        if requested in ("auto", _short(names[0]))
    ]
    if not provider_lists:
        raise ProviderRefused(_unavailable_message(requested, available, capabilities))
    candidates = [
        Candidate(names, chosen)
        for names in provider_lists
        if (chosen := _precision(names[0], precision, capabilities)) in _PRECISIONS[names[0]]
    ]
    if not candidates:
        raise ProviderRefused(_precision_message(precision, [names[0] for names in provider_lists]))
    return candidates


def _provider_lists(
    available: Sequence[str], capabilities: Capabilities, *, require_gpu: bool
) -> Iterator[tuple[str, ...]]:
    if TENSORRT in available and capabilities.cuda and capabilities.tensorrt:
        yield TENSORRT, CUDA, CPU
    if CUDA in available and capabilities.cuda:
        yield CUDA, CPU
    if require_gpu:
        return
    if capabilities.openvino:
        yield OPENVINO, CPU
    yield (CPU,)


def _precision(provider: str, requested: PrecisionName, capabilities: Capabilities) -> str:
    if requested != "auto":
        return requested
    return "bfloat16" if provider == OPENVINO and capabilities.amx else "float32"


def _unavailable_message(requested: str, available: Sequence[str], capabilities: Capabilities) -> str:
    setting = f"UGATIT_PROVIDER is {requested}" if requested != "auto" else "UGATIT_REQUIRE_GPU is set"
    if requested == "openvino":
        return (
            f"{setting}, but its plug-in, onnxruntime-ep-openvino, is not installed or does not support this "
            "CPU; use UGATIT_PROVIDER=cpu."
        )
    if _BY_NAME.get(requested, CUDA) not in available:
        return f"{setting}, but this onnxruntime is built without it; install onnxruntime-gpu."
    if not capabilities.cuda:
        return f"{setting}, but no CUDA device was found; check the driver, or give the container the GPU."
    return f"{setting}, but TensorRT's libraries are not installed; use UGATIT_PROVIDER=cuda."


def _precision_message(precision: str, providers: Sequence[str]) -> str:
    able = [_short(name) for name, precisions in _PRECISIONS.items() if precision in precisions]
    found = ", ".join(_short(name) for name in providers)
    return (
        f"UGATIT_PRECISION is {precision}, which only {' and '.join(able)} supports, but the provider here "
        f"is {found}; use UGATIT_PRECISION=float32."
    )


def check_devices(devices: Sequence[int], capabilities: Capabilities) -> None:
    """Check that every GPU of `UGATIT_DEVICES` exists.

    Raises:
        ProviderRefused: one does not.
    """
    for device in devices:
        if device >= capabilities.cuda:
            raise ProviderRefused(
                f"UGATIT_DEVICES names GPU {device}, but the driver finds {capabilities.cuda}, counted from "
                "0; remove it."
            )


def _short(provider: str) -> str:
    return next(name for name, full in _BY_NAME.items() if full == provider)


def probe(*, with_openvino: bool = True) -> Capabilities:
    """Return what the machine has. Prints nothing; onnxruntime itself would print errors without a GPU.

    Args:
        with_openvino: whether to load OpenVINO's plug-in, which takes 0.2 s.
    """
    return Capabilities(
        cuda=len(cuda_devices()),
        tensorrt=_loads_tensorrt(),
        openvino=with_openvino and openvino.cpu_device() is not None,
        amx=_has_amx(),
    )


def cuda_devices() -> list[str]:
    """Return the names of the devices that the CUDA driver finds, by number; none without a driver."""
    driver = _load_first(ctypes.CDLL, "libcuda.so.1", "nvcuda.dll")
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
    """Load the libraries that the provider links to, so that it finds them; return whether all load."""
    return all(
        _load_first(ctypes.CDLL, f"lib{name}.so.10", f"{name}_10.dll", *_in_wheel(f"lib{name}.so.10"))
        is not None
        for name in ("nvinfer", "nvinfer_plugin", "nvonnxparser")
    )


def _in_wheel(library: str) -> list[str]:
    """Return where the wheel of the tensorrt extra puts a library: the loader does not search there."""
    found = importlib.util.find_spec("tensorrt_libs")
    folders = found.submodule_search_locations if found is not None else None
    return [str(Path(folder) / library) for folder in folders or ()]


def _has_amx(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    try:
        return "amx_bf16" in cpuinfo.read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return False


def _load_first(load: Callable[[str], ctypes.CDLL], *names: str) -> ctypes.CDLL | None:
    for name in names:
        try:
            return load(name)
        except OSError:
            continue
    return None
