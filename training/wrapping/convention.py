"""How a translator takes and returns pictures: value range, layout, order of the colours."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Layout = Literal["nchw", "nhwc"]
Channels = Literal["rgb", "bgr"]
RangeName = Literal["-1,1", "0,1", "0,255"]

RANGES: Final[dict[RangeName, tuple[float, float]]] = {"-1,1": (-1, 1), "0,1": (0, 1), "0,255": (0, 255)}
"""The values of black and white."""

Pixels = NDArray[np.uint8]


class Convention(NamedTuple):
    """How a translator takes and returns pictures."""

    layout: Layout
    channels: Channels
    input_range: RangeName
    output_range: RangeName

    def to_values(self, pixels: Pixels, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Convert uint8 RGB `[N, H, W, 3]` to the model's input."""
        low, high = RANGES[self.input_range]
        ordered = pixels[..., ::-1] if self.channels == "bgr" else pixels
        values = ordered.astype(np.float64) * ((high - low) / 255) + low
        if self.layout == "nchw":
            values = values.transpose(0, 3, 1, 2)
        return np.ascontiguousarray(values.astype(dtype))

    def to_pixels(self, values: NDArray[Any]) -> Pixels:
        """Convert the model's output to the nearest uint8 RGB `[N, H, W, 3]`."""
        low, high = RANGES[self.output_range]
        levels = (values.astype(np.float64) - low) * (255 / (high - low))
        if self.layout == "nchw":
            levels = levels.transpose(0, 2, 3, 1)
        if self.channels == "bgr":
            levels = levels[..., ::-1]
        return np.clip(np.rint(levels), 0, 255).astype(np.uint8)
