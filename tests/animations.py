"""Animated files drawn by code."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.bundle.canary import smooth_picture
from models.images.encode import MediaType
from models.images.encode_animation import encode_animation
from models.images.timing import Timing

DURATIONS = (40.0, 80.0, 120.0)


def drawn_frames(count: int = 3, height: int = 40, width: int = 60) -> list[NDArray[np.uint8]]:
    """Smooth pictures that differ."""
    return [smooth_picture(height, width, seed=seed) for seed in range(count)]


def animated(
    media_type: MediaType = "image/gif", *, frames: list[NDArray[np.uint8]] | None = None, plays: int = 0
) -> bytes:
    """An animated file of three frames, or of the given ones, by our own encoder."""
    frames = drawn_frames() if frames is None else frames
    durations = (DURATIONS * len(frames))[: len(frames)]
    return encode_animation(frames, Timing(durations, plays), media_type, quality=95)


def shown(data: bytes) -> tuple[list[NDArray[np.uint8]], list[float], int | None]:
    """The frames `[H, W, 3]` of a file as Pillow shows them, their durations in ms, and Pillow's `loop`."""
    pictures, durations = [], []
    with Image.open(io.BytesIO(data)) as image:
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            pictures.append(np.asarray(image.convert("RGB")))
            durations.append(float(image.info.get("duration", 0)))
        return pictures, durations, image.info.get("loop")


def gif_of_many_frames(count: int) -> bytes:
    """A small GIF of many frames of one pixel."""
    frame = b"\x21\xf9\x04\0\x04\0\0\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"
    return b"GIF89a" + struct.pack("<HH", 1, 1) + b"\x80\0\0\0\0\0\xff\xff\xff" + count * frame + b";"


def gif_that_claims(width: int, height: int) -> bytes:
    """A GIF whose canvas is claimed to have a size; its frames have one pixel."""
    data = bytearray(gif_of_many_frames(2))
    data[6:10] = struct.pack("<HH", width, height)
    return bytes(data)


def saved(frames: list[Image.Image], form: str, **options: Any) -> bytes:
    """An animated file by Pillow."""
    file = io.BytesIO()
    frames[0].save(file, form, save_all=True, append_images=frames[1:], **options)
    return file.getvalue()
