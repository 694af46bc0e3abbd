"""One model in onnxruntime: opened from verified bytes, run, and stopped in the middle of a run."""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from app.engine.providers import CPU, ProviderRefused, choose_providers, probe, provider_options
from app.settings import Settings
from models.bundle.switches import WINOGRAD, turn_on

Pixels = NDArray[np.uint8]
Outputs = Mapping[str, NDArray[Any]]

_ERROR, _FATAL = 3, 4
_GPU_BATCH: Final = 8
_X86_64: Final = ("x86_64", "amd64")
# The smallest model there is (y = x), to see which provider comes up before any bundle is read.
_IDENTITY: Final = (
    b'\x08\x08:7\n\x10\n\x01x\x12\x01y"\x08Identity\x12\x01gZ\x0f\n\x01x\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01'
    b"b\x0f\n\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\r"
)

log = logging.getLogger("ugatit.engine")


class Model(Protocol):
    """What the engine needs of a model."""

    @property
    def provider(self) -> str:
        """The execution provider truly in use."""

    def run(self, pixels: Pixels) -> Outputs:
        """Run a batch `[N, H, W, 3]`; called from one thread at a time."""

    def terminate(self) -> None:
        """Make the run that is under way fail soon; called from another thread."""


class Session:
    """An onnxruntime session."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._names = [output.name for output in session.get_outputs()]
        self._options = onnxruntime.RunOptions()

    @property
    def provider(self) -> str:
        """The execution provider truly in use."""
        return str(self._session.get_providers()[0])

    def run(self, pixels: Pixels) -> Outputs:
        """Run a batch uint8 `[N, H, W, 3]`."""
        self._options = onnxruntime.RunOptions()
        self._options.log_severity_level = _FATAL  # errors arrive as exceptions, and are logged as such
        return dict(zip(self._names, self._session.run(None, {"pixels": pixels}, self._options), strict=True))

    def terminate(self) -> None:
        """Make the run that is under way fail at its next node."""
        self._options.terminate = True


OpenModel = Callable[[bytes], Model]
"""Opens a model from verified bytes."""


class Runtime(NamedTuple):
    """How models are opened in this process, decided once at the start."""

    providers: tuple[str, ...]
    """In onnxruntime's order; the first is the one that must come up."""
    device: int
    threads: int

    @property
    def on_gpu(self) -> bool:
        """Whether models run on a GPU."""
        return self.providers[0] != CPU

    @property
    def winograd(self) -> bool:
        """Whether the graph's Winograd form is the faster one here: measured so on x86-64 CPUs alone."""
        return self.providers[0] == CPU and platform.machine().lower() in _X86_64

    def open(self, model: bytes) -> Session:
        """Open a model, computing as is fastest where it is about to run.

        Raises:
            ProviderRefused: onnxruntime opened it elsewhere than decided.
            Exception: onnxruntime's own, where it cannot open the model at all.
        """
        session = Session(
            onnxruntime.InferenceSession(
                turn_on(model, WINOGRAD) if self.winograd else model,
                session_options(self.threads),
                providers=[(name, provider_options(name, self.device)) for name in self.providers],
                enable_fallback=0,  # by default it would go on elsewhere and only print that it did
            )
        )
        if session.provider != self.providers[0]:
            raise ProviderRefused(f"{self.providers[0]} did not come up; {session.provider} did.")
        return session


def open_runtime(settings: Settings) -> Runtime:
    """Decide where models run, and see that a session really comes up there.

    Raises:
        ProviderRefused: what the settings ask for cannot be had on this machine.
    """
    answers = probe()
    if answers.cuda:
        onnxruntime.preload_dlls()  # finds the CUDA libraries that the cuda extra installs beside it
    lists = choose_providers(
        settings.provider,
        available=onnxruntime.get_available_providers(),
        answers=answers,
        require_gpu=settings.require_gpu,
    )
    for providers in lists:
        runtime = Runtime(providers, settings.device, settings.intra_op_threads)
        if _comes_up(runtime):
            return runtime
    raise ProviderRefused(
        f"{lists[-1][0]} did not come up; install its libraries (the cuda extra brings CUDA's), or unset "
        "UGATIT_REQUIRE_GPU and UGATIT_PROVIDER."
    )


def _comes_up(runtime: Runtime) -> bool:
    try:
        runtime.open(_IDENTITY)
    except Exception as error:  # onnxruntime's exceptions have no common base
        log.warning("%s does not come up: %s", runtime.providers[0], error)
        return False
    return True


def session_options(threads: int) -> onnxruntime.SessionOptions:
    """Session options; `threads` 0 takes a thread for every core.

    Threads spin between operators, onnxruntime's default: without, the fastest of many runs on two cores took
    a tenth to a half longer. After a run they stop at once: the cores are wanted for the answer.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _ERROR
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return options


def default_max_batch(runtime: Runtime) -> int:
    """How many pictures share a run.

    On a CPU one picture keeps every core busy already: pairs took longer a picture than one by one.
    """
    return _GPU_BATCH if runtime.on_gpu else 1


def batch_shapes(max_batch: int, *, on_gpu: bool) -> list[int]:
    """The batch sizes that are ever run, ascending.

    A GPU chooses its kernels and its memory for every shape anew: few shapes, each warmed up. A CPU does not
    care, and padding would cost it the whole run of the padded pictures.
    """
    if not on_gpu:
        return list(range(1, max_batch + 1))
    shapes = [1]
    while shapes[-1] < max_batch:
        shapes.append(min(shapes[-1] * 2, max_batch))
    return shapes
