"""One model in onnxruntime: run, and stopped in the middle of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Outputs = Mapping[str, NDArray[Any]]
Shape = tuple[int, int, int]
"""The batch, height and width of an input `[N, H, W, 3]`."""

_ERROR, _FATAL = 3, 4
INPUT: Final = "pixels"


class Model(Protocol):
    """What the engine needs of a model."""

    @property
    def provider(self) -> str:
        """The execution provider truly in use."""

    @property
    def precision(self) -> str:
        """What it computes in: float32, bfloat16 or float16."""

    def run(self, pixels: Pixels) -> Outputs:
        """Run a batch `[N, H, W, 3]`; called from one thread at a time."""

    def terminate(self) -> None:
        """Make the run that is under way fail soon; called from another thread."""

    def settle(self, shapes: Iterable[Shape]) -> None:
        """Be ready for these shapes; no other will be run, so let go of what only opening needs."""


class OpenModel(Protocol):
    """Opens a model from verified bytes."""

    def __call__(self, model: bytes, /, *, exact: bool = False) -> Model:
        """Open it; `exact` asks for float32 where a lower precision is in use."""


class Session:
    """An onnxruntime session."""

    def __init__(self, session: onnxruntime.InferenceSession, *, precision: str = "float32") -> None:
        self.precision = precision
        self._session = session
        self._names = [output.name for output in session.get_outputs()]
        self._options = onnxruntime.RunOptions()

    @property
    def provider(self) -> str:
        """The execution provider truly in use."""
        return str(self._session.get_providers()[0])

    def run(self, pixels: Pixels) -> Outputs:
        """Run a batch uint8 `[N, H, W, 3]`."""
        self._options = run_options()
        return dict(zip(self._names, self._session.run(None, {INPUT: pixels}, self._options), strict=True))

    def terminate(self) -> None:
        """Make the run that is under way fail at its next node."""
        self._options.terminate = True

    def settle(self, shapes: Iterable[Shape]) -> None:
        """A session is ready for every shape, and holds nothing that only its opening needed."""


def run_options() -> onnxruntime.RunOptions:
    """The options of one run, by which it can be terminated."""
    options = onnxruntime.RunOptions()
    options.log_severity_level = _FATAL  # errors arrive as exceptions, and are logged as such
    return options


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


def fix_shape(options: onnxruntime.SessionOptions, shape: Shape) -> None:
    """Fix the batch, height and width by the names that a bundle gives them; a fixed size has none."""
    for name, size in zip("NHW", shape, strict=True):
        options.add_free_dimension_override_by_name(name, size)
