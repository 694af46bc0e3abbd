"""How models are opened in this process: chosen and tested once at the start."""

from __future__ import annotations

import logging
import os
import platform
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import onnxruntime

from app.engine.runtime import openvino
from app.engine.runtime.cpu_quota import intra_op_threads
from app.engine.runtime.fixed_shapes import FixedShapeModel
from app.engine.runtime.gpu import BoundSession, GpuOptions, SessionSpec, provider_options
from app.engine.runtime.provider_benchmark import ProviderBenchmark
from app.engine.runtime.providers import (
    CPU,
    CUDA,
    OPENVINO,
    TENSORRT,
    Candidate,
    Capabilities,
    ProviderRefused,
    check_devices,
    choose_providers,
    probe,
)
from app.engine.runtime.session import Execution, Model, Session, Shape, fix_shape, session_options
from app.settings.settings import Settings
from models.bundle.graph_switches import MIXED, WINOGRAD, turn_on

_GPU_BATCH: Final = 8
_X86_64: Final = ("x86_64", "amd64")
# The smallest model (y = x), to test a provider before any bundle is read.
_IDENTITY: Final = (
    b'\x08\x08:7\n\x10\n\x01x\x12\x01y"\x08Identity\x12\x01gZ\x0f\n\x01x\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01'
    b"b\x0f\n\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\r"
)

log = logging.getLogger("ugatit.engine")


class Runtime(NamedTuple):
    """How models are opened in this process."""

    providers: tuple[str, ...]
    """In onnxruntime's order; the first must work."""
    precision: str = "float32"
    """float32, bfloat16 or float16."""
    threads: int = 0
    """Of one run; 0 lets the provider choose."""
    gpu: GpuOptions = GpuOptions()
    fallback: Runtime | None = None
    """Opens a model in float32 if the settings' precision is too low for it."""
    benchmark: ProviderBenchmark | None = None
    """Chooses between OpenVINO and onnxruntime's own CPU provider, and between bfloat16 and float32, on the
    first model."""
    automatic_precision: bool = False
    """Whether a lower precision was chosen automatically."""

    @property
    def on_gpu(self) -> bool:
        """Whether models run on a GPU."""
        return self.providers[0] in (CUDA, TENSORRT)

    @property
    def fixes_shapes(self) -> bool:
        """Whether every input shape has its own session."""
        return self.providers[0] != CPU

    @property
    def winograd(self) -> bool:
        """Whether the graph's Winograd form is used: it was measured to be faster on x86-64 CPUs only.

        Its intermediate values need float32: in bfloat16 the image loses 4 dB.
        """
        on_cpu = self.providers[0] in (CPU, OPENVINO) and platform.machine().lower() in _X86_64
        return on_cpu and self.precision == "float32"

    def on_device(self, device: int) -> Runtime:
        """Return the same runtime on another GPU."""
        fallback = self.fallback.on_device(device) if self.fallback is not None else None
        return self._replace(gpu=self.gpu._replace(device=device), fallback=fallback)

    def open(self, model: bytes, /, *, exact: bool = False, any_shape: bool = False) -> Model:
        """Open a model in the form of its graph that is the fastest on this provider.

        With fixed shapes, the graph itself is read at the first run of each shape.

        Args:
            model: the graph's bytes.
            exact: compute in float32, whatever precision is in use.
            any_shape: take inputs of all shapes, in float32.

        Raises:
            ProviderRefused: onnxruntime opened it on another provider.
            Exception: onnxruntime's own, if it cannot open the model.
        """
        if any_shape:
            return self._any_shape()._open_any_shape(model)
        if self.benchmark is not None:
            return self.benchmark.open(model, exact=exact)
        if exact and self.precision != "float32":
            return (self.fallback or self._replace(precision="float32")).open(model)
        for switch in self._switches():
            model = turn_on(model, switch)
        if not self.fixes_shapes:
            return Session(self.open_session(model), precision=self.precision)
        open_for = self._open_bound if self.on_gpu else self._open_compiled
        return FixedShapeModel(
            partial(open_for, model),
            Execution(self.providers[0], self.precision),
            automatic_precision=self.automatic_precision,
        )

    def _switches(self) -> list[str]:
        """Return the switches of the graph that are on with this provider and precision."""
        mixed = self.providers[0] == OPENVINO and self.precision == "bfloat16"
        return [name for name, on in ((WINOGRAD, self.winograd), (MIXED, mixed)) if on]

    def _any_shape(self) -> Runtime:
        """Return the runtime on the providers that do not compile a model for each shape, in float32."""
        providers = tuple(name for name in self.providers if name not in (OPENVINO, TENSORRT))
        return self._replace(providers=providers, precision="float32", benchmark=None)

    def _open_any_shape(self, model: bytes) -> Model:
        model = turn_on(model, WINOGRAD) if self.winograd else model
        return Session(self.open_session(model, any_shape=True))

    def _open_compiled(self, model: bytes, shape: Shape) -> Session:
        return Session(self.open_session(model, shape), precision=self.precision)

    def _open_bound(self, model: bytes, shape: Shape) -> BoundSession:
        """Open a session with buffers on the device, recorded as one CUDA graph if that is possible."""
        try:
            return self._open_bound_once(model, shape, graph=True)
        except ProviderRefused:
            raise
        except Exception as error:  # onnxruntime's exceptions have no common base
            log.warning("The model is not recorded as a CUDA graph: %s", error)
        return self._open_bound_once(model, shape, graph=False)

    def _open_bound_once(self, model: bytes, shape: Shape, *, graph: bool) -> BoundSession:
        opened = self.open_session(model, shape, graph=graph)
        session = BoundSession(opened, shape, precision=self.precision, device=self.gpu.device)
        session.run(np.zeros((*shape, 3), np.uint8))  # the first run records the graph
        return session

    def open_session(
        self,
        model: bytes,
        shape: Shape | None = None,
        *,
        graph: bool = False,
        any_shape: bool = False,
    ) -> onnxruntime.InferenceSession:
        """Open one session, for one shape or for any.

        Raises:
            ProviderRefused, Exception: as `open`.
        """
        spec = SessionSpec(model, shape, self.precision, graph) if shape is not None else None
        threads = self.threads if self.providers[0] == CPU else 1
        options = session_options(threads, any_shape=any_shape)
        if shape is not None:
            fix_shape(options, shape)
        if self.providers[0] == OPENVINO:
            openvino.add_provider(options, precision=self.precision, threads=self.threads)
        session = onnxruntime.InferenceSession(
            model,
            options,
            # A plug-in is added through the options; onnxruntime refuses both at once.
            providers=[] if self.providers[0] == OPENVINO else self._provider_options(spec),
            enable_fallback=0,  # by default onnxruntime would use another provider and only print that
        )
        if (used := session.get_providers()[0]) != self.providers[0]:
            raise ProviderRefused(f"{self.providers[0]} does not work here; onnxruntime used {used} instead.")
        return session

    def _provider_options(self, spec: SessionSpec | None) -> list[tuple[str, dict[str, str]]]:
        return [(name, provider_options(name, self.providers, self.gpu, spec)) for name in self.providers]


def open_runtime(settings: Settings) -> Runtime:
    """Choose where models run, and test that a session opens there.

    Raises:
        ProviderRefused: the settings cannot be satisfied on this machine.
    """
    capabilities = probe(with_openvino=settings.provider in ("auto", "openvino"))
    if capabilities.cuda:
        onnxruntime.preload_dlls()  # loads the CUDA libraries that the cuda extra installs
    candidates = choose_providers(
        settings.provider,
        settings.precision,
        available=onnxruntime.get_available_providers(),
        capabilities=capabilities,
        require_gpu=settings.require_gpu,
    )
    for candidate in candidates:
        runtime = _runtime(candidate, settings)
        if runtime.on_gpu:
            _prepare_gpu(runtime, settings, capabilities)
        if all(_works(runtime.on_device(device)) for device in _devices(runtime, settings)):
            return _with_benchmark(runtime, settings)
    raise ProviderRefused(
        f"{candidates[-1].providers[0]} does not work here; install its libraries (extras cuda, tensorrt), "
        "or unset UGATIT_REQUIRE_GPU and UGATIT_PROVIDER."
    )


def _runtime(candidate: Candidate, settings: Settings) -> Runtime:
    gpu = GpuOptions(settings.device_numbers[0], settings.gpu_memory_limit_bytes, settings.engine_cache_dir)
    return Runtime(candidate.providers, candidate.precision, intra_op_threads(settings.intra_op_threads), gpu)


def _devices(runtime: Runtime, settings: Settings) -> tuple[int, ...]:
    return settings.device_numbers if runtime.on_gpu else settings.device_numbers[:1]


def device_runtimes(runtime: Runtime, settings: Settings) -> list[Runtime]:
    """Return the runtime of each device, in the order of the settings."""
    return [runtime.on_device(device) for device in _devices(runtime, settings)]


def _prepare_gpu(runtime: Runtime, settings: Settings, capabilities: Capabilities) -> None:
    """Check the devices and the cache directory of the settings, and keep TensorRT in float32.

    Raises:
        ProviderRefused: one of them does not exist, or cannot be written to.
    """
    check_devices(settings.device_numbers, capabilities)
    if runtime.providers[0] != TENSORRT:
        return
    # By default TensorRT rounds float32 to 10 bits of mantissa (TF32). The provider has no option against
    # that, but NVIDIA's variable works. It is set for float16 too: a model may be opened in float32 then.
    os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")
    folder = settings.engine_cache_dir
    if folder is not None and not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise ProviderRefused(
            f"UGATIT_ENGINE_CACHE_DIR must be a writable folder, got {folder}; mount a volume there, or "
            "unset it."
        )


def _with_benchmark(runtime: Runtime, settings: Settings) -> Runtime:
    """Add the benchmark between providers and precisions, if the settings leave the choice open.

    A precision that the settings set has a float32 runtime beside it, for models that need it.
    """
    if runtime.precision == "bfloat16" and not openvino.has_bfloat16():
        log.warning("This CPU has no bfloat16 instructions; UGATIT_PRECISION=float32 is faster and exact.")
    exact = runtime._replace(precision="float32")
    float32 = [exact.open]
    if settings.provider == "auto" and runtime.providers[0] == OPENVINO:
        # onnxruntime's own provider is the default: it can terminate a run.
        float32.insert(0, exact._replace(providers=(CPU,)).open)
    if runtime.precision != "float32" and settings.precision == "auto":
        lower = runtime._replace(automatic_precision=True)
        return lower._replace(benchmark=ProviderBenchmark(float32, lower.open))
    if len(float32) > 1:
        exact = exact._replace(benchmark=ProviderBenchmark(float32))
    return exact if runtime.precision == "float32" else runtime._replace(fallback=exact)


def _works(runtime: Runtime) -> bool:
    try:
        runtime.open_session(_IDENTITY)
    except Exception as error:  # onnxruntime's exceptions have no common base
        log.warning("%s does not work here: %s", runtime.providers[0], error)
        return False
    return True


def default_max_batch(runtime: Runtime) -> int:
    """Return how many pictures a run has at most.

    On a CPU one picture uses every core already: in pairs each picture took longer than alone.
    """
    return _GPU_BATCH if runtime.on_gpu else 1


def batch_sizes(max_batch: int, *, few: bool) -> list[int]:
    """Return the batch sizes that are run, ascending.

    Args:
        max_batch: the largest.
        few: powers of 2 instead of every size. A GPU chooses kernels and allocates memory for each shape, and
            OpenVINO compiles the model for it. onnxruntime's CPU provider does neither, and padding a batch
            costs it the full time of each padded picture.
    """
    if not few:
        return list(range(1, max_batch + 1))
    sizes = [1]
    while sizes[-1] < max_batch:
        sizes.append(min(sizes[-1] * 2, max_batch))
    return sizes
