"""Flip, resize, crop."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.data.config import DataConfig
from training.data.folder import Domain
from training.data.random_draws import Purpose, words


class Draw(NamedTuple):
    """What chance decided for one sample."""

    flip: bool
    top: int  # of the crop in the resized, flipped picture, 0 to the margin
    left: int


def resized_side(config: DataConfig, seed: int, domain: Domain) -> int:
    """The side in pixels to which a domain's pictures are resized before the crop."""
    return config.size + (config.resize_margin if _is_augmented(config, seed, domain) else 0)


def draw(config: DataConfig, seed: int, domain: Domain, sample: int) -> Draw:
    """Decide a sample's flip and crop, by nothing but the arguments."""
    if not _is_augmented(config, seed, domain):
        return Draw(flip=False, top=0, left=0)
    flip, top, left = (int(word) for word in words(3, seed, Purpose.AUGMENT, domain, sample))
    places = config.resize_margin + 1
    return Draw(flip < config.flip_probability * 2**64, top % places, left % places)


def resize(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Squash a picture, uint8 [H, W, 3], to uint8 [side, side, 3], read-only.

    Pillow's bilinear filter, as the official PyTorch code: it averages where it shrinks.
    """
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BILINEAR))


def flip_and_crop(picture: NDArray[np.uint8], drawn: Draw, size: int) -> NDArray[np.uint8]:
    """The view, uint8 [size, size, 3], of a resized picture that was drawn.

    The official code flips before it resizes. Pillow's filter is symmetric, so the cache can hold the resized
    picture and the result is the same.
    """
    flipped = picture[:, ::-1] if drawn.flip else picture
    return flipped[drawn.top : drawn.top + size, drawn.left : drawn.left + size]


def _is_augmented(config: DataConfig, seed: int, domain: Domain) -> bool:
    if not config.augment_once:
        return True
    (coin,) = words(1, seed, Purpose.COIN, domain, 0)
    return int(coin) < 2**63
