"""Boxes of the cascade, float32 [N, 4] of left, top, right and bottom: suppress, move and square them."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]
Scores = NDArray[np.float32]


def suppress(
    boxes: Boxes, scores: Scores, *, overlap: float, over: Literal["union", "smaller"]
) -> NDArray[np.intp]:
    """Return the indices of the boxes to keep, best first: non-maximum suppression.

    A box is dropped if a better one overlaps it by more than `overlap`: the area that both share over that of
    their union, or over that of the smaller one. Every pair is compared: pass at most some hundred boxes.
    """
    order = np.argsort(-scores, kind="stable")
    left, top, right, bottom = boxes[order].T
    areas = (right - left) * (bottom - top)
    width = np.minimum(right[:, None], right) - np.maximum(left[:, None], left)
    height = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top)
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    whole = areas[:, None] + areas - shared if over == "union" else np.minimum(areas[:, None], areas)
    same = shared > overlap * whole  # [N, N]
    kept = np.ones(len(order), dtype=bool)
    for best in range(len(order)):
        if kept[best]:
            kept[best + 1 :] &= ~same[best, best + 1 :]
    return order[kept]


def moved(boxes: Boxes, offsets: Boxes) -> Boxes:
    """Return boxes whose edges are moved by `offsets` [N, 4], in widths and heights of each box."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return boxes + offsets * np.tile(sides, 2)


def squared(boxes: Boxes) -> Boxes:
    """Return squares around the same centres, whose side is the longer one of each box, at least a pixel."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = np.maximum((boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True), 1) / 2
    return np.concatenate([centres - half, centres + half], axis=1)
