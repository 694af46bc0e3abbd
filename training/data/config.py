"""How pictures are prepared for training."""

from __future__ import annotations

from dataclasses import dataclass

from training.data.errors import DataError


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """What decides over the batches, and below it what only decides how fast they come."""

    size: int = 256
    """Height and width of a training picture in pixels."""
    resize_margin: int = 30
    """A picture is squashed to a square of size + margin, out of which a random one of size is cut. The
    official PyTorch code adds 30 at any size, the TensorFlow code 30 at 256 pixels and 15 at others."""
    flip_probability: float = 0.5
    """How often a picture is mirrored left to right."""
    augment_once: bool = False
    """A coin decides once for each domain whether its pictures are flipped and cropped throughout the run or
    never, as the TensorFlow code does by an oversight; otherwise all of them always are."""

    max_unreadable_share: float = 0.1
    """The largest part of a folder's pictures that may be unreadable, 0 to 1. Those are left out."""
    cache_bytes: int = 2 * 1024**3
    """Memory for decoded pictures in each process; 2 GiB hold 8,700 pictures at 286 pixels. What does not fit
    is decoded again whenever its turn comes."""
    workers: int = 4
    """Threads that decode. With 0 nothing is decoded ahead: the training thread does it all."""
    prefetch_batches: int = 2
    """Batches made ready while the training step runs, at least 1."""

    def __post_init__(self) -> None:
        for name, least in (
            ("size", 1),
            ("resize_margin", 0),
            ("cache_bytes", 0),
            ("workers", 0),
            ("prefetch_batches", 1),
        ):
            if getattr(self, name) < least:
                raise DataError(f"{name} is {getattr(self, name)}; it must be at least {least}.")
        for name in ("flip_probability", "max_unreadable_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise DataError(f"{name} is {getattr(self, name)}; it must lie between 0 and 1.")
