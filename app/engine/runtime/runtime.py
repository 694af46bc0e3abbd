"""How models are opened in this process: decided once at the start, and seen to come up."""

from __future__ import annotations

import logging
import os
import platform
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import onnxruntime

from app.engine.runtime import openvino
from app.engine.runtime.cpu_quota import threads_for
from app.engine.runtime.fixed_shapes import Shaped
from app.engine.runtime.gpu import BoundSession, Gpu, Wanted, provider_options
from app.engine.runtime.provider_race import Race
from app.engine.runtime.providers import (
    CPU,
    CUDA,
    OPENVINO,
    TENSORRT,
    Answers,
    Candidate,
    ProviderRefused,
    check_devices,
    choose_providers,
    probe,
)
from app.engine.runtime.session import Model, Session, Shape, fix_shape, session_options
from app.settings.settings import Settings
from models.bundle.graph_switches import WINOGRAD, turn_on

_GPU_BATCH: Final = 8
_X86_64: Final = ("x86_64", "amd64")
# The smallest model there is (y = x), to see which provider comes up before any bundle is read.
_IDENTITY: Final = (
    b'\x08\x08:7\n\x10\n\x01x\x12\x01y"\x08Identity\x12\x01gZ\x0f\n\x01x\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01'
    b"b\x0f\n\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\r"
)

log = logging.getLogger("ugatit.engine")


class Runtime(NamedTuple):
    """How models are opened in this process."""

    providers: tuple[str, ...]
    """In onnxruntime's order; the first is the one that must come up."""
    precision: str = "float32"
    """What they compute in: float32, bfloat16 or float16."""
    threads: int = 0
    gpu: Gpu = Gpu()
    fallback: Runtime | None = None
    """Opens in float32 what falls short at a lower precision; None where float32 is in use."""
    race: Race | None = None
    """Where OpenVINO and onnxruntime's own CPU provider must show on the first model which is the faster."""

    @property
    def on_gpu(self) -> bool:
        """Whether models run on a GPU."""
        return self.providers[0] in (CUDA, TENSORRT)

    @property
    def fixes_shapes(self) -> bool:
        """Whether every shape that is run has a session of its own."""
        return self.providers[0] != CPU

    @property
    def winograd(self) -> bool:
        """Whether the graph's Winograd form is the faster one here: measured so on x86-64 CPUs alone.

        Its intermediate values need float32: in bfloat16 it costs four decibels.
        """
        on_cpu = self.providers[0] in (CPU, OPENVINO) and platform.machine().lower() in _X86_64
        return on_cpu and self.precision == "float32"

    def on(self, device: int) -> Runtime:
        """The same on another GPU."""
        fallback = self.fallback.on(device) if self.fallback is not None else None
        return self._replace(gpu=self.gpu._replace(device=device), fallback=fallback)

    def open(self, model: bytes, /, *, exact: bool = False) -> Model:
        """Open a model, computing as is fastest where it is about to run.

        Where shapes are fixed, the model itself is read at the first run of each.

        Args:
            model: the graph's bytes.
            exact: compute in float32, whatever precision is in use.

        Raises:
            ProviderRefused: onnxruntime opened it elsewhere than decided.
            Exception: onnxruntime's own, where it cannot open the model at all.
        """
        if exact and self.precision != "float32":
            return (self.fallback or self._replace(precision="float32")).open(model)
        if self.race is not None:
            return self.race.open(model)
        model = turn_on(model, WINOGRAD) if self.winograd else model
        if not self.fixes_shapes:
            return Session(self.open_session(model), precision=self.precision)
        open_at = self._open_bound if self.on_gpu else self._open_compiled
        return Shaped(partial(open_at, model), provider=self.providers[0], precision=self.precision)

    def _open_compiled(self, model: bytes, shape: Shape) -> Session:
        return Session(self.open_session(model, shape), precision=self.precision)

    def _open_bound(self, model: bytes, shape: Shape) -> BoundSession:
        """On the device, its run recorded as one CUDA graph if that can be; recorded at its first run."""
        try:
            return self._open_bound_once(model, shape, graph=True)
        except ProviderRefused:
            raise
        except Exception as error:  # onnxruntime's exceptions have no common base
            log.warning("The run is not recorded as a CUDA graph: %s", error)
        return self._open_bound_once(model, shape, graph=False)

    def _open_bound_once(self, model: bytes, shape: Shape, *, graph: bool) -> BoundSession:
        opened = self.open_session(model, shape, graph=graph)
        session = BoundSession(opened, shape, precision=self.precision, device=self.gpu.device)
        session.run(np.zeros((*shape, 3), np.uint8))
        return session

    def open_session(
        self, model: bytes, shape: Shape | None = None, *, graph: bool = False
    ) -> onnxruntime.InferenceSession:
        """One session, for one shape or for all.

        Raises:
            ProviderRefused, Exception: as `open`.
        """
        wanted = Wanted(model, shape, self.precision, graph) if shape is not None else None
        options = session_options(self.threads if self.providers[0] == CPU else 1)
        if shape is not None:
            fix_shape(options, shape)
        if self.providers[0] == OPENVINO:
            openvino.add_to(options, precision=self.precision, threads=self.threads)
        session = onnxruntime.InferenceSession(
            model,
            options,
            # A plug-in's device stands in the options; both at once are refused.
            providers=[] if self.providers[0] == OPENVINO else self._provider_options(wanted),
            enable_fallback=0,  # by default it would go on elsewhere, and only print that it did
        )
        if (came_up := session.get_providers()[0]) != self.providers[0]:
            raise ProviderRefused(f"{self.providers[0]} did not come up; {came_up} did.")
        return session

    def _provider_options(self, wanted: Wanted | None) -> list[tuple[str, dict[str, str]]]:
        return [(name, provider_options(name, self.providers, self.gpu, wanted)) for name in self.providers]


def open_runtime(settings: Settings) -> Runtime:
    """Decide where models run, and see that a session really comes up there.

    Raises:
        ProviderRefused: what the settings ask for cannot be had on this machine.
    """
    answers = probe(with_openvino=settings.provider in ("auto", "openvino"))
    if answers.cuda:
        onnxruntime.preload_dlls()  # finds the CUDA libraries that the cuda extra installs beside it
    candidates = choose_providers(
        settings.provider,
        settings.precision,
        available=onnxruntime.get_available_providers(),
        answers=answers,
        require_gpu=settings.require_gpu,
    )
    for candidate in candidates:
        runtime = _runtime(candidate, settings)
        if runtime.on_gpu:
            _prepare_gpu(runtime, settings, answers)
        if all(_comes_up(runtime.on(device)) for device in _devices(runtime, settings)):
            return _with_fallback(_with_race(runtime, settings), settings)
    raise ProviderRefused(
        f"{candidates[-1].providers[0]} did not come up; install its libraries (extras cuda, tensorrt), or "
        "unset UGATIT_REQUIRE_GPU and UGATIT_PROVIDER."
    )


def _runtime(candidate: Candidate, settings: Settings) -> Runtime:
    gpu = Gpu(settings.device_numbers[0], settings.gpu_memory_limit_bytes, settings.engine_cache_dir)
    return Runtime(candidate.providers, candidate.precision, threads_for(settings.intra_op_threads), gpu)


def _devices(runtime: Runtime, settings: Settings) -> tuple[int, ...]:
    return settings.device_numbers if runtime.on_gpu else settings.device_numbers[:1]


def replicas(runtime: Runtime, settings: Settings) -> list[Runtime]:
    """How models are opened on every device, the first one's first."""
    return [runtime.on(device) for device in _devices(runtime, settings)]


def _prepare_gpu(runtime: Runtime, settings: Settings, answers: Answers) -> None:
    """See that what the settings name is there.

    Raises:
        ProviderRefused: it is not.
    """
    check_devices(settings.device_numbers, answers)
    if runtime.providers[0] != TENSORRT:
        return
    # No option of the provider forbids TensorRT to round float32 to ten bits of mantissa; NVIDIA's variable
    # does. Beside float16 too: what falls short there is opened in float32.
    os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")
    folder = settings.engine_cache_dir
    if folder is not None and not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise ProviderRefused(
            f"UGATIT_ENGINE_CACHE_DIR={folder} is no folder that can be written to; mount a volume there, or "
            "unset it."
        )


def _with_race(runtime: Runtime, settings: Settings) -> Runtime:
    """In float32 the two CPU providers are rivals; in bfloat16 OpenVINO has none, if the CPU has it."""
    if runtime.precision == "bfloat16" and not openvino.has_bfloat16():
        log.warning("This CPU has no bfloat16: float32 would be faster, and exact.")
    if settings.provider != "auto" or runtime.providers[0] != OPENVINO or runtime.precision != "float32":
        return runtime
    # onnxruntime's own is the favourite: it can stop in the middle of a run.
    return runtime._replace(race=Race([runtime._replace(providers=(CPU,)).open, runtime.open]))


def _with_fallback(runtime: Runtime, settings: Settings) -> Runtime:
    """Beside a lower precision, float32 is ready for the models that need it."""
    if runtime.precision == "float32":
        return runtime
    return runtime._replace(fallback=_with_race(runtime._replace(precision="float32"), settings))


def _comes_up(runtime: Runtime) -> bool:
    try:
        runtime.open_session(_IDENTITY)
    except Exception as error:  # onnxruntime's exceptions have no common base
        log.warning("%s does not come up: %s", runtime.providers[0], error)
        return False
    return True


def default_max_batch(runtime: Runtime) -> int:
    """How many pictures share a run.

    On a CPU one picture keeps every core busy already: pairs took longer a picture than one by one.
    """
    return _GPU_BATCH if runtime.on_gpu else 1


def batch_shapes(max_batch: int, *, few: bool) -> list[int]:
    """The batch sizes that are ever run, ascending.

    Args:
        max_batch: the largest.
        few: a GPU chooses its kernels and its memory for every shape anew, OpenVINO compiles the whole model:
            a handful of shapes, each warmed up. onnxruntime's CPU provider does not care, and padding would
            cost it the whole run of the padded pictures.
    """
    if not few:
        return list(range(1, max_batch + 1))
    shapes = [1]
    while shapes[-1] < max_batch:
        shapes.append(min(shapes[-1] * 2, max_batch))
    return shapes
