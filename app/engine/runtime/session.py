"""One model in onnxruntime, and the interface of a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.bundle.canary import STYLE
from models.bundle.errors import BundleError

Pixels = NDArray[np.uint8]
StyleCodes = NDArray[np.float32]
"""One code `[d]`, or those of a batch `[N, d]`."""
Outputs = Mapping[str, NDArray[Any]]
Shape = tuple[int, int, int]
"""The batch, height and width of an input `[N, H, W, 3]`."""

_ERROR, _FATAL = 3, 4
INPUT: Final = "pixels"


class Execution(NamedTuple):
    """Where and how exactly a model runs."""

    provider: str
    """The execution provider that onnxruntime uses."""
    precision: str
    """float32, bfloat16 or float16."""


class Model(Protocol):
    """An opened model, as the engine uses it."""

    @property
    def execution(self) -> Execution:
        """Where and in which precision it runs."""

    @property
    def automatic_precision(self) -> bool:
        """Whether a precision below float32 was chosen automatically: it must then be more accurate."""

    def run(self, pixels: Pixels, style: StyleCodes | None = None) -> Outputs:
        """Return the outputs of a batch `[N, H, W, 3]`; called by one thread at a time.

        A generator with styles also takes a style code for each picture, `[N, d]`.
        """

    def terminate(self) -> None:
        """Make the current run fail soon; called by another thread."""

    def prepare_shapes(self, shapes: Iterable[Shape]) -> None:
        """Open what these shapes need, and release what only opening needs: no other shape will be run."""


class OpenModel(Protocol):
    """Opens a model from verified bytes."""

    def __call__(self, model: bytes, /, *, exact: bool = False, any_shape: bool = False) -> Model:
        """Return the opened model.

        Args:
            model: the graph's bytes.
            exact: compute in float32, whatever precision is in use.
            any_shape: take inputs of all shapes, in float32.
        """


class PrecisionTooLow(BundleError):
    """At a lower precision the model's outputs differ from its bundle's; in float32 they may not."""

    def __init__(self, precision: str, error: BundleError) -> None:
        super().__init__(f"It runs in float32 instead of {precision}: {error}")


class Session:
    """An onnxruntime session, which takes any shape."""

    automatic_precision = False

    def __init__(self, session: onnxruntime.InferenceSession, *, precision: str = "float32") -> None:
        self._precision = precision
        self._session = session
        self._names = [output.name for output in session.get_outputs()]
        self._options = onnxruntime.RunOptions()

    @property
    def execution(self) -> Execution:
        """Where and in which precision it runs."""
        return Execution(str(self._session.get_providers()[0]), self._precision)

    def run(self, pixels: Pixels, style: StyleCodes | None = None) -> Outputs:
        """Return the outputs of a batch uint8 `[N, H, W, 3]`, with styles in the styles `[N, d]`."""
        self._options = run_options()
        inputs = {INPUT: pixels} if style is None else {INPUT: pixels, STYLE: style}
        return dict(zip(self._names, self._session.run(None, inputs, self._options), strict=True))

    def terminate(self) -> None:
        """Make the current run fail at its next node."""
        self._options.terminate = True

    def prepare_shapes(self, shapes: Iterable[Shape]) -> None:
        """Do nothing: the session takes any shape and holds nothing that only opening needs."""


def run_options() -> onnxruntime.RunOptions:
    """Return the options of one run, through which it can be terminated."""
    options = onnxruntime.RunOptions()
    options.log_severity_level = _FATAL  # errors are raised as exceptions, and logged from there
    return options


def session_options(threads: int, *, any_shape: bool = False) -> onnxruntime.SessionOptions:
    """Return session options; `threads` 0 takes a thread for every core.

    With `any_shape` the memory of a run is returned after it: onnxruntime would keep that of the largest
    picture, and a plan of the memory for each shape. A run then takes about a quarter more processor time.

    Threads spin between operators, onnxruntime's default: without it, the fastest of many runs on two cores
    took 10 to 50 % longer. They stop spinning after a run, since encoding the answer needs the cores.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _ERROR
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.enable_cpu_mem_arena = options.enable_mem_pattern = not any_shape
    return options


def fix_shape(options: onnxruntime.SessionOptions, shape: Shape) -> None:
    """Fix the batch, height and width by their names in a bundle's graph; sizes fixed there have no names."""
    for name, size in zip("NHW", shape, strict=True):
        options.add_free_dimension_override_by_name(name, size)
