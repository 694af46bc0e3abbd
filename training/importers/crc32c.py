"""CRC-32C as TensorFlow stores it: masked, so that the checksum of data with a checksum stays useful."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import google_crc32c

_MASK: Final = 0xA282EAD8


def masked_crc32c(parts: Iterable[bytes]) -> int:
    """Return the masked CRC-32C of the parts in sequence."""
    crc = 0
    for part in parts:
        crc = google_crc32c.extend(crc, part)
    rotated = (crc >> 15 | crc << 17) & 0xFFFF_FFFF
    return (rotated + _MASK) & 0xFFFF_FFFF
