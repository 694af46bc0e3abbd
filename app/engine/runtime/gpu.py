"""An NVIDIA GPU: what CUDA and TensorRT are told, and a session whose buffers lie on the device."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import onnxruntime

from app.engine.runtime.providers import CUDA, TENSORRT
from app.engine.runtime.session import INPUT, Outputs, Pixels, Shape, run_options

_DTYPES: Final[Mapping[str, type[np.generic]]] = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32}


class Gpu(NamedTuple):
    """One device, and what models may take of it."""

    device: int = 0
    memory_limit_bytes: int = 0
    """Of each session's arena; 0 for no limit."""
    engine_cache_dir: Path | None = None
    """Where TensorRT keeps the engines it built; None builds them at every start, which takes minutes."""


class Wanted(NamedTuple):
    """The session that the options are for."""

    model: bytes
    shape: Shape
    precision: str
    graph: bool
    """Whether the whole run is recorded once and replayed as one CUDA graph."""


def provider_options(
    provider: str, providers: Sequence[str], gpu: Gpu, wanted: Wanted | None
) -> dict[str, str]:
    """What onnxruntime gets for one provider.

    Args:
        provider: the one.
        providers: all of the session; the first records the graph.
        gpu: the device.
        wanted: the session; None for one that only shows whether the provider comes up.
    """
    if provider == CUDA:
        return cuda_options(gpu, graph=providers[0] == CUDA and wanted is not None and wanted.graph)
    if provider == TENSORRT:
        return tensorrt_options(gpu, wanted) if wanted is not None else {"device_id": str(gpu.device)}
    return {}


def cuda_options(gpu: Gpu, *, graph: bool) -> dict[str, str]:
    """What the CUDA provider gets."""
    options = {
        "device_id": str(gpu.device),
        "arena_extend_strategy": "kSameAsRequested",  # fixed shapes: doubling would only waste memory
        "use_tf32": "0",  # ten bits of mantissa would not pass the canary
        "cudnn_conv_algo_search": "EXHAUSTIVE",  # shapes are few and warmed up at the start
        "enable_cuda_graph": _flag(graph),
    }
    if gpu.memory_limit_bytes:
        options["gpu_mem_limit"] = str(gpu.memory_limit_bytes)
    return options


def tensorrt_options(gpu: Gpu, wanted: Wanted) -> dict[str, str]:
    """What the TensorRT provider gets: one profile, which is the shape itself."""
    profile = f"{INPUT}:{_times(wanted.shape)}x3"
    options = {
        "device_id": str(gpu.device),
        "trt_fp16_enable": _flag(wanted.precision == "float16"),
        "trt_profile_min_shapes": profile,
        "trt_profile_opt_shapes": profile,
        "trt_profile_max_shapes": profile,
        "trt_cuda_graph_enable": _flag(wanted.graph),
    }
    if gpu.memory_limit_bytes:
        options["trt_max_workspace_size"] = str(gpu.memory_limit_bytes)
    if gpu.engine_cache_dir is not None:
        folder = str(gpu.engine_cache_dir)
        options |= {
            "trt_engine_cache_enable": "1",
            "trt_engine_cache_path": folder,
            "trt_engine_cache_prefix": engine_prefix(wanted),
            "trt_timing_cache_enable": "1",
            "trt_timing_cache_path": folder,
        }
    return options


def engine_prefix(wanted: Wanted) -> str:
    """The beginning of an engine's file name.

    The provider's own name tells neither the weights nor the shape: without this, one direction would be
    served with another's engine.
    """
    digest = hashlib.sha256(wanted.model).hexdigest()[:12]
    return f"ugatit_{digest}_{_times(wanted.shape)}_{wanted.precision}"


def _flag(on: bool) -> str:
    return "1" if on else "0"


def _times(shape: Shape) -> str:
    return "x".join(map(str, shape))


class BoundSession:
    """A session for one shape whose input and outputs are bound to buffers allocated once, on the device.

    A CUDA graph is recorded with the addresses of its buffers, so they must stay; and nothing is allocated or
    freed on the device between runs.
    """

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        shape: Shape,
        *,
        precision: str,
        memory: str = "cuda",
        device: int = 0,
    ) -> None:
        """Args:
        session: opened with this shape fixed.
        shape: of the input, without its channels.
        precision: what it computes in.
        memory: where the buffers lie: cuda or cpu.
        device: the device's number.
        """
        self.precision = precision
        self._session = session
        self._names = [output.name for output in session.get_outputs()]
        self._options = onnxruntime.RunOptions()
        self._binding = session.io_binding()
        self._input = _buffer([*shape, 3], np.uint8, memory, device)
        self._binding.bind_ortvalue_input(INPUT, self._input)
        for output in session.get_outputs():
            if all(isinstance(size, int) for size in output.shape):
                buffer = _buffer(output.shape, _DTYPES[output.type], memory, device)
                self._binding.bind_ortvalue_output(output.name, buffer)
            else:  # a size that only the run tells
                self._binding.bind_output(output.name, memory, device)

    @property
    def provider(self) -> str:
        """The execution provider truly in use."""
        return str(self._session.get_providers()[0])

    def run(self, pixels: Pixels) -> Outputs:
        """Run a batch uint8 `[N, H, W, 3]` of the one shape."""
        self._options = run_options()
        self._input.update_inplace(np.ascontiguousarray(pixels))
        self._session.run_with_iobinding(self._binding, self._options)
        self._binding.synchronize_outputs()
        # A copy, also where the buffer is the CPU's own: the next run writes into it.
        found = [value.numpy().copy() for value in self._binding.get_outputs()]
        return dict(zip(self._names, found, strict=True))

    def terminate(self) -> None:
        """Make the run that is under way fail at its next node."""
        self._options.terminate = True

    def settle(self, shapes: Iterable[Shape]) -> None:
        """A session holds nothing that only its opening needed."""


def _buffer(shape: list[int], dtype: type[np.generic], memory: str, device: int) -> onnxruntime.OrtValue:
    return onnxruntime.OrtValue.ortvalue_from_shape_and_type(shape, dtype, memory, device)
