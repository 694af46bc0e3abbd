"""Augment pictures: flip, resize, crop."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.data.config import DataConfig
from training.data.folder import Domain
from training.data.random_draws import Purpose, random_words


class Draw(NamedTuple):
    """The random flip and crop of one sample."""

    flip: bool
    top: int  # of the crop in the resized, flipped picture, 0 to the margin
    left: int


def resized_side(config: DataConfig, seed: int, domain: Domain) -> int:
    """Return the side in pixels to which a domain's pictures are resized before the crop."""
    return config.size + (config.resize_margin if _is_augmented(config, seed, domain) else 0)


def draw(config: DataConfig, seed: int, domain: Domain, sample: int, *, of_set: int = 0) -> Draw:
    """Return a sample's flip and crop, a pure function of the arguments.

    `of_set` is the number of a derived set, 0 for the pictures themselves.
    """
    if not _is_augmented(config, seed, domain):
        return Draw(flip=False, top=0, left=0)
    flip, top, left = (
        int(word) for word in random_words(3, seed, Purpose.AUGMENT, domain, sample, of_set=of_set)
    )
    positions = config.resize_margin + 1
    return Draw(flip < config.flip_probability * 2**64, top % positions, left % positions)


def resize(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return a picture, uint8 [H, W, 3], squashed to uint8 [side, side, 3], read-only.

    The filter is Pillow's bilinear one, as in the official PyTorch code: it averages where it shrinks.
    """
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BILINEAR))


def flip_and_crop(picture: NDArray[np.uint8], drawn: Draw, size: int) -> NDArray[np.uint8]:
    """Return the drawn flip and crop of a resized picture, as a view, uint8 [size, size, 3].

    The official code flips before it resizes. Pillow's filter is symmetric, so resizing first gives the same
    result, and the cache can hold the resized picture.
    """
    flipped = picture[:, ::-1] if drawn.flip else picture
    return flipped[drawn.top : drawn.top + size, drawn.left : drawn.left + size]


def _is_augmented(config: DataConfig, seed: int, domain: Domain) -> bool:
    if not config.augment_once:
        return True
    (coin,) = random_words(1, seed, Purpose.COIN, domain, 0)
    return int(coin) < 2**63
