"""A model with one session for each input shape.

Some providers compile or record a model for its input's shape. With varying shapes they would do so again and
again; with fixed shapes they do it once for each, before the first request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from app.engine.runtime.session import Execution, Model, Outputs, Pixels, Shape, StyleCodes


class FixedShapeModel:
    """Opens a session at the first run of each shape, until `prepare_shapes` was called."""

    def __init__(
        self,
        open_for: Callable[[Shape], Model],
        execution: Execution,
        *,
        automatic_precision: bool = False,
    ) -> None:
        """Args:
        open_for: opens the model for one shape; it holds the model's bytes.
        execution: where and how the sessions run; `open_for` raises if one runs elsewhere.
        automatic_precision: whether the precision was chosen automatically.
        """
        self.execution = execution
        self.automatic_precision = automatic_precision
        self._open_for: Callable[[Shape], Model] | None = open_for
        self._sessions: dict[Shape, Model] = {}

    def run(self, pixels: Pixels, style: StyleCodes | None = None) -> Outputs:
        """Return the outputs of a batch uint8 `[N, H, W, 3]`, with styles in the styles `[N, d]`."""
        return self._session(pixels.shape[:3]).run(pixels, style)

    def terminate(self) -> None:
        """Make the current run fail; called by another thread."""
        for session in list(self._sessions.values()):
            session.terminate()

    def prepare_shapes(self, shapes: Iterable[Shape]) -> None:
        """Open the missing sessions of these shapes, then release the model's bytes with all weights."""
        for shape in shapes:
            self._session(shape)
        self._open_for = None

    def _session(self, shape: Shape) -> Model:
        if shape not in self._sessions:
            assert self._open_for is not None, f"the shape {shape} was not prepared"
            self._sessions[shape] = self._open_for(shape)
        return self._sessions[shape]
