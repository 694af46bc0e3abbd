"""When the frames of an animation are shown."""

from __future__ import annotations

from typing import NamedTuple


class Timing(NamedTuple):
    """How an animation plays."""

    durations_ms: tuple[float, ...]
    """How long each frame is shown. Players show 0 to 10 ms as 100."""
    plays: int
    """How many times all frames are shown; 0 is for ever."""

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return len(self.durations_ms)
