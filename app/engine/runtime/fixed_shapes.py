"""A model with one session for every shape it is run at.

Where a runtime compiles or captures a model for its input's shape, a shape that varies is paid for again and
again. Fixed shapes are paid for once, before the first request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from app.engine.runtime.session import Model, Outputs, Pixels, Shape


class Shaped:
    """Opens a session at the first run of each shape, until it is settled."""

    def __init__(self, open_at: Callable[[Shape], Model], *, provider: str, precision: str) -> None:
        """Args:
        open_at: opens the model for one shape; holds the model's bytes.
        provider: where the sessions run; `open_at` raises rather than open one elsewhere.
        precision: what they compute in.
        """
        self.provider = provider
        self.precision = precision
        self._open_at: Callable[[Shape], Model] | None = open_at
        self._sessions: dict[Shape, Model] = {}

    def run(self, pixels: Pixels) -> Outputs:
        """Run a batch uint8 `[N, H, W, 3]`."""
        return self._session(pixels.shape[:3]).run(pixels)

    def terminate(self) -> None:
        """Make the run that is under way fail; called from another thread."""
        for session in list(self._sessions.values()):
            session.terminate()

    def settle(self, shapes: Iterable[Shape]) -> None:
        """Open what is missing for these shapes, then let the model's bytes go: as many as its weights."""
        for shape in shapes:
            self._session(shape)
        self._open_at = None

    def _session(self, shape: Shape) -> Model:
        if shape not in self._sessions:
            assert self._open_at is not None, f"the shape {shape} was never settled on"
            self._sessions[shape] = self._open_at(shape)
        return self._sessions[shape]
