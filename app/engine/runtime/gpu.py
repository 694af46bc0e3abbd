"""An NVIDIA GPU: the options of CUDA and TensorRT, and a session whose buffers are on the device."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import onnxruntime

from app.engine.runtime.providers import CUDA, TENSORRT
from app.engine.runtime.session import INPUT, Execution, Outputs, Pixels, Shape, StyleCodes, run_options
from models.bundle.canary import STYLE

_DTYPES: Final[Mapping[str, type[np.generic]]] = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32}


class GpuOptions(NamedTuple):
    """One device, and the limits of models on it."""

    device: int = 0
    memory_limit_bytes: int = 0
    """Of each session's arena; 0 for no limit."""
    engine_cache_dir: Path | None = None
    """Where TensorRT caches its engines; None builds them at every start, which takes minutes."""


class SessionSpec(NamedTuple):
    """The session that is opened with the options."""

    model: bytes
    shape: Shape
    precision: str
    graph: bool
    """Whether the run is recorded once and replayed as one CUDA graph."""


def provider_options(
    provider: str, providers: Sequence[str], gpu: GpuOptions, spec: SessionSpec | None
) -> dict[str, str]:
    """Return the options of one provider.

    Args:
        provider: its name.
        providers: all providers of the session; the first records the graph.
        gpu: the device.
        spec: the session; None for one that only tests whether the provider works.
    """
    if provider == CUDA:
        return cuda_options(gpu, graph=providers[0] == CUDA and spec is not None and spec.graph)
    if provider == TENSORRT:
        return tensorrt_options(gpu, spec) if spec is not None else {"device_id": str(gpu.device)}
    return {}


def cuda_options(gpu: GpuOptions, *, graph: bool) -> dict[str, str]:
    """Return the options of the CUDA provider."""
    options = {
        "device_id": str(gpu.device),
        "arena_extend_strategy": "kSameAsRequested",  # with fixed shapes, doubling it would waste memory
        "use_tf32": "0",  # its 10 bits of mantissa are too few for the canary
        "cudnn_conv_algo_search": "EXHAUSTIVE",  # few shapes, each warmed up at the start
        "enable_cuda_graph": _switch(graph),
    }
    if gpu.memory_limit_bytes:
        options["gpu_mem_limit"] = str(gpu.memory_limit_bytes)
    return options


def tensorrt_options(gpu: GpuOptions, spec: SessionSpec) -> dict[str, str]:
    """Return the options of the TensorRT provider: the only profile is the session's shape."""
    profile = f"{INPUT}:{_joined(spec.shape)}x3"
    options = {
        "device_id": str(gpu.device),
        "trt_fp16_enable": _switch(spec.precision == "float16"),
        "trt_profile_min_shapes": profile,
        "trt_profile_opt_shapes": profile,
        "trt_profile_max_shapes": profile,
        "trt_cuda_graph_enable": _switch(spec.graph),
    }
    if gpu.memory_limit_bytes:
        options["trt_max_workspace_size"] = str(gpu.memory_limit_bytes)
    if gpu.engine_cache_dir is not None:
        folder = str(gpu.engine_cache_dir)
        options |= {
            "trt_engine_cache_enable": "1",
            "trt_engine_cache_path": folder,
            "trt_engine_cache_prefix": engine_prefix(spec),
            "trt_timing_cache_enable": "1",
            "trt_timing_cache_path": folder,
        }
    return options


def engine_prefix(spec: SessionSpec) -> str:
    """Return the prefix of an engine's file name.

    The provider's own file name depends neither on the weights nor on the shape: without this prefix, one
    direction could run another's engine.
    """
    digest = hashlib.sha256(spec.model).hexdigest()[:12]
    return f"ugatit_{digest}_{_joined(spec.shape)}_{spec.precision}"


def _switch(on: bool) -> str:
    return "1" if on else "0"


def _joined(shape: Shape) -> str:
    return "x".join(map(str, shape))


class BoundSession:
    """A session for one shape whose input and outputs are bound to buffers allocated once, on the device.

    A CUDA graph contains the addresses of its buffers, so they must not change. And no memory is allocated or
    freed on the device between runs.
    """

    automatic_precision = False

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
        precision: float32, bfloat16 or float16.
        memory: of the buffers: cuda or cpu.
        device: the device's number.
        """
        self._precision = precision
        self._session = session
        self._names = [output.name for output in session.get_outputs()]
        self._options = onnxruntime.RunOptions()
        self._binding = session.io_binding()
        self._input = _buffer([*shape, 3], np.uint8, memory, device)
        self._binding.bind_ortvalue_input(INPUT, self._input)
        self._style = self._bind_style(memory, device)
        for output in session.get_outputs():
            if all(isinstance(size, int) for size in output.shape):
                buffer = _buffer(output.shape, _DTYPES[output.type], memory, device)
                self._binding.bind_ortvalue_output(output.name, buffer)
            else:  # a size that is known only after the run
                self._binding.bind_output(output.name, memory, device)

    def _bind_style(self, memory: str, device: int) -> onnxruntime.OrtValue | None:
        """Bind a buffer of zeros to the input of style codes, if the model has one."""
        for each in self._session.get_inputs():
            if each.name == STYLE:
                style = _buffer(each.shape, np.float32, memory, device)
                style.update_inplace(np.zeros(each.shape, np.float32))
                self._binding.bind_ortvalue_input(STYLE, style)
                return style
        return None

    @property
    def execution(self) -> Execution:
        """Where and in which precision it runs."""
        return Execution(str(self._session.get_providers()[0]), self._precision)

    def run(self, pixels: Pixels, style: StyleCodes | None = None) -> Outputs:
        """Return the outputs of a batch uint8 `[N, H, W, 3]` of the session's shape, in styles `[N, d]`."""
        self._options = run_options()
        self._input.update_inplace(np.ascontiguousarray(pixels))
        if style is not None:
            assert self._style is not None, "the model takes no style codes"
            self._style.update_inplace(np.ascontiguousarray(style))
        self._session.run_with_iobinding(self._binding, self._options)
        self._binding.synchronize_outputs()
        # Copies, even of buffers in the CPU's memory: the next run overwrites them.
        outputs = [value.numpy().copy() for value in self._binding.get_outputs()]
        return dict(zip(self._names, outputs, strict=True))

    def terminate(self) -> None:
        """Make the current run fail at its next node."""
        self._options.terminate = True

    def prepare_shapes(self, shapes: Iterable[Shape]) -> None:
        """Do nothing: the session holds nothing that only opening needs."""


def _buffer(shape: list[int], dtype: type[np.generic], memory: str, device: int) -> onnxruntime.OrtValue:
    return onnxruntime.OrtValue.ortvalue_from_shape_and_type(shape, dtype, memory, device)
