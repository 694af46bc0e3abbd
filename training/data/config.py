"""The config section `data`."""

from __future__ import annotations

from dataclasses import dataclass

from training.data.errors import DataError


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """How pictures become batches. The keys below `max_unreadable_share` change only the speed."""

    size: int = 256
    """Height and width of a training picture in pixels."""
    resize_margin: int = 30
    """A picture is squashed to a square of size + margin, then a random square of size is cut out. The
    official PyTorch code adds 30 at any size, the TensorFlow code 30 at 256 pixels and 15 at others."""
    flip_probability: float = 0.5
    """Probability that a picture is mirrored left to right."""
    augment_once: bool = False
    """Decide at random, once for each domain, whether its pictures are always or never flipped and cropped,
    as the TensorFlow code does by an oversight. false always flips and crops."""

    max_unreadable_share: float = 0.1
    """Largest share of unreadable pictures in a folder, 0 to 1. Unreadable pictures are left out."""
    cache_bytes: int = 2 * 1024**3
    """Memory for decoded pictures in each process; 2 GiB hold 8,700 pictures at 286 pixels. Pictures that do
    not fit are decoded again each time."""
    workers: int = 4
    """Threads that decode. With 0 nothing is decoded ahead: the training thread decodes."""
    prefetch_batches: int = 2
    """Batches prepared while the training step runs, at least 1."""

    def __post_init__(self) -> None:
        for name, least in (
            ("size", 1),
            ("resize_margin", 0),
            ("cache_bytes", 0),
            ("workers", 0),
            ("prefetch_batches", 1),
        ):
            if getattr(self, name) < least:
                raise DataError(f"data.{name} must be at least {least}, got {getattr(self, name)}.")
        for name in ("flip_probability", "max_unreadable_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise DataError(f"data.{name} must be between 0 and 1, got {getattr(self, name)}.")
