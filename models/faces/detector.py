"""Find the faces in a photo by a cascade of three small networks.

MTCNN: Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks",
IEEE Signal Processing Letters 2016 (arXiv 1604.02878).
"""

from __future__ import annotations

import threading
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.faces.boxes import Boxes, Scores, moved, squared, suppress
from models.faces.face import Face, FaceBox, Landmarks
from models.faces.landmarks import look_again
from models.faces.networks import Networks
from models.faces.pyramid import Pyramid
from models.images.affine import Point

_SMALLEST_FACE: Final = 1 / 34
"""The side of the smallest window, over the photo's longer side: 47 px of 1,600."""
_SMALLEST_PIXELS: Final = 20
"""Nor is it smaller than this in a small photo: so few pixels show no face worth translating."""
_STEP: Final = 0.5
"""Between the scales of the first search. The paper's 0.71 takes half as long again, and finds no more."""
_WINDOW: Final = 12
_STRIDE: Final = 2
_MARGIN: Final = 6
"""Black pixels around each level, so that a window can lie half outside: faces at the edge."""
_PROPOSAL, _REFINED, _FACE = 0.85, 0.6, 0.8
"""The least probability that each network must give."""
_MOST_WINDOWS, _MOST_PROPOSALS = 500, 300
"""Of one scale and of all: they bound time and memory. A photo of 12 faces has about 150 proposals."""


class _Found(NamedTuple):
    boxes: Boxes
    scores: Scores


class FaceDetector:
    """Finds faces in photos. Equal pixels give equal faces. Safe to call from many threads.

    The networks (2 MB) are opened when the first photo is searched.
    """

    def __init__(self, *, threads: int = 1) -> None:
        """Make a detector; `threads` is the number that the search of one photo uses."""
        self._threads = threads
        self._opened: Networks | None = None
        self._opening = threading.Lock()

    def detect(self, pixels: NDArray[np.uint8]) -> list[Face]:
        """Return the faces in a photo, uint8 [H, W, 3] in RGB, the surest first.

        Photos are searched at a longer side of about 1,400 pixels, smaller ones at their own. Faces of
        at least 3 % of the photo's longer side, turned by up to 40 degrees, are found; smaller and further
        turned ones sometimes.
        """
        if not pixels.size:
            return []
        pyramid = Pyramid(pixels)
        networks = self._networks()
        proposed = _propose(networks, pyramid)
        refined = _refine(networks, pyramid, proposed)
        return _decide(networks, pyramid, refined)

    def _networks(self) -> Networks:
        with self._opening:
            if self._opened is None:
                self._opened = Networks(threads=self._threads)
            return self._opened


def largest(faces: list[Face]) -> Face | None:
    """Return the face with the largest box, of equal ones the surest; None without a face."""
    return max(faces, key=lambda face: face.box.width * face.box.height, default=None)


def _propose(networks: Networks, pyramid: Pyramid) -> Boxes:
    """Return the squares that P-Net proposes, searching at one scale after the other."""
    levels = [_propose_at(networks, pyramid, scale) for scale in _scales(pyramid)]
    boxes = np.concatenate([_no_boxes(), *(level.boxes for level in levels)])
    scores = np.concatenate([np.empty(0, np.float32), *(level.scores for level in levels)])
    best = _best(scores, 2 * _MOST_PROPOSALS)
    kept = best[suppress(boxes[best], scores[best], overlap=0.7, over="union")]
    return squared(boxes[kept[:_MOST_PROPOSALS]])


def _scales(pyramid: Pyramid) -> list[float]:
    """Return the scales at which a window is a face, from the smallest face to the shorter side."""
    smallest = max(_SMALLEST_FACE * max(pyramid.size), _SMALLEST_PIXELS)
    scale, scales = _WINDOW / smallest, list[float]()
    while min(pyramid.size) * scale >= _WINDOW / 2:
        scales.append(scale)
        scale *= _STEP
    return scales


def _propose_at(networks: Networks, pyramid: Pyramid, scale: float) -> _Found:
    probability, offsets, _ = networks.propose(pyramid.whole(scale, margin=_MARGIN))
    rows, columns = np.nonzero(probability > _PROPOSAL)
    best = _best(probability[rows, columns], _MOST_WINDOWS)
    rows, columns = rows[best], columns[best]
    corners = np.stack([columns, rows], axis=1).astype(np.float32) * _STRIDE - _MARGIN
    windows = np.concatenate([corners, corners + _WINDOW], axis=1)
    scores = probability[rows, columns]
    kept = suppress(windows, scores, overlap=0.5, over="union")
    boxes = moved(windows[kept], offsets[rows[kept], columns[kept]])
    return _Found(boxes / np.float32(scale), scores[kept])


def _refine(networks: Networks, pyramid: Pyramid, proposed: Boxes) -> Boxes:
    """Return the squares that R-Net keeps, moved onto the face."""
    if not len(proposed):
        return proposed
    probability, offsets, _ = networks.refine(pyramid.parts(proposed, 24))
    sure = probability > _REFINED
    boxes, scores = proposed[sure], probability[sure]
    kept = suppress(boxes, scores, overlap=0.5, over="union")
    return squared(moved(boxes[kept], offsets[sure][kept]))


def _decide(networks: Networks, pyramid: Pyramid, refined: Boxes) -> list[Face]:
    """Return the faces that O-Net keeps, the surest first, in pixels of the photo."""
    if not len(refined):
        return []
    probability, offsets, landmarks = networks.decide(pyramid.parts(refined, 48))
    assert landmarks is not None, "O-Net finds landmarks"
    boxes = moved(refined, offsets)
    sure = np.flatnonzero(probability > _FACE)
    kept = sure[suppress(boxes[sure], probability[sure], overlap=0.5, over="smaller")]
    places = look_again(networks, pyramid, refined[kept], landmarks[kept])
    return [
        _face(box * pyramid.shrink, place * pyramid.shrink, score)
        for box, place, score in zip(boxes[kept], places, probability[kept], strict=True)
    ]


def _best(scores: Scores, most: int) -> NDArray[np.intp]:
    """Return the indices of the highest scores, of equal ones the first."""
    return np.argsort(-scores, kind="stable")[:most]


def _face(box: Boxes, places: NDArray[np.float32], score: np.float32) -> Face:
    left, top, right, bottom = box.tolist()
    points = Landmarks(*(Point(x, y) for x, y in places.tolist()))
    return Face(FaceBox(left, top, right - left, bottom - top), points, float(score))


def _no_boxes() -> Boxes:
    return np.empty((0, 4), dtype=np.float32)
