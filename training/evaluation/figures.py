"""Figures of single pictures: L1, CAM accuracy, sharpness, attention in faces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.images.frame import Box, crop, scale_box
from training.evaluation.data import Pixels

PerPicture = NDArray[np.float64]
FindFace = Callable[[Pixels], Box | None]
"""Return the box of the face in a picture, uint8 [H, W, 3]; None without a face."""

_LUMA: Final = np.array([0.299, 0.587, 0.114])


def l1(pixels: Pixels, others: Pixels) -> PerPicture:
    """Return the mean distance of pictures, uint8 [N, H, W, 3], with levels from -1 to 1 as in the losses."""
    difference = np.abs(pixels.astype(np.float64) - others) / 127.5
    means: PerPicture = difference.mean(axis=(1, 2, 3))
    return means


def source_probability(cam_logit: NDArray[np.float32]) -> PerPicture:
    """Return the auxiliary classifier's probability of the source domain, [N].

    It is the mean of those of the two classifiers, as the service shows it.

    Args:
        cam_logit: [N, 2], of the average-pool and the max-pool classifier.
    """
    means: PerPicture = (1 / (1 + np.exp(-cam_logit.astype(np.float64)))).mean(axis=1)
    return means


def correct(cam_logit: NDArray[np.float32], *, source: bool) -> PerPicture:
    """Return 1 where the auxiliary classifier names the right domain and 0 elsewhere, [N].

    Args:
        cam_logit: [N, 2], of the average-pool and the max-pool classifier.
        source: whether the pictures are of the source domain.
    """
    right: PerPicture = ((source_probability(cam_logit) > 0.5) == source).astype(np.float64)
    return right


def sharpness(pixels: Pixels) -> PerPicture:
    """Return the variance of the Laplacian of the luma, in squared levels of 255, [N].

    It is lower for a blurred picture. It depends on the size, so compare pictures of one size only.
    """
    luma = pixels.astype(np.float64) @ _LUMA  # [N, H, W]
    inner = luma[:, 1:-1, 1:-1]
    around = luma[:, :-2, 1:-1] + luma[:, 2:, 1:-1] + luma[:, 1:-1, :-2] + luma[:, 1:-1, 2:]
    variances: PerPicture = (around - 4 * inner).var(axis=(1, 2))
    return variances


def shares_in_faces(attention: NDArray[np.float32], pixels: Pixels, find_face: FindFace) -> PerPicture:
    """Return the share of each map's mass that lies inside the face, for pictures with a face and a mass.

    Args:
        attention: the maps [N, h, w], at least 0.
        pixels: their pictures, uint8 [N, H, W, 3].
        find_face: finds the face in a picture.
    """
    boxes = [find_face(picture) for picture in pixels]
    shares = [
        _share_inside(values, box, picture=pixels.shape[1:3])
        for values, box in zip(attention.astype(np.float64), boxes, strict=True)
        if box is not None and values.sum() > 0
    ]
    return np.array(shares, dtype=np.float64)


def _share_inside(attention: PerPicture, box: Box, *, picture: tuple[int, int]) -> float:
    inside = crop(attention, scale_box(box, before=picture, after=attention.shape))
    return float(inside.sum() / attention.sum())
