"""Damaged versions of real picture files, each a pure function of its seed.

`python -m tests.fuzz.mutants SEED` writes one to the standard output.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from tests.images.drawing import exif, file, swapped_profile

PHOTO = Path(__file__).parents[1] / "photo.jpg"
TELLING = (
    b"\0",
    b"\1",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\0\0",
    b"\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\xff" * 4,
    b"\0" * 4,
)
Random = np.random.Generator


class Mutant(NamedTuple):
    """A damaged request body."""

    body: bytes
    content_type: str

    @property
    def is_form(self) -> bool:
        """Whether the picture is in a form."""
        return self.content_type.startswith("multipart")


@cache
def originals() -> list[bytes]:
    """Return one photo in every format and option in which people save photos."""
    photo = Image.open(PHOTO).convert("RGB")
    photo.thumbnail((160, 160))
    noted = {"exif": exif(6), "icc_profile": swapped_profile()}
    still, turned = photo.copy(), photo.rotate(90)
    return [
        PHOTO.read_bytes(),
        file(still, "JPEG", **noted),
        file(still, "JPEG", progressive=True, quality=60),
        file(still.convert("CMYK"), "JPEG"),
        file(still.convert("L"), "JPEG", restart_marker_rows=1),
        file(still, "PNG", **noted),
        file(still.quantize(16), "PNG", transparency=3),
        file(still.convert("1"), "PNG"),
        file(Image.fromarray(np.asarray(still.convert("L")).astype(np.uint16) * 257), "PNG"),
        file(still, "PNG", save_all=True, append_images=[turned], duration=40),
        file(still, "WEBP", lossless=False, **noted),
        file(still.convert("RGBA"), "WEBP"),
        file(still, "WEBP", lossless=False, save_all=True, append_images=[turned], duration=40),
    ]


def mutant(seed: int) -> Mutant:
    """Return the mutant of a seed: a file with one to four damages; half of them are in a damaged form."""
    random = np.random.default_rng(seed)
    files = originals()
    body = files[random.integers(len(files))]
    content_type = ("image/jpeg", "image/png", "image/webp")[random.integers(3)]
    for _ in range(random.integers(1, 5)):
        body = damage(body, random)
    if body.startswith(b"\x89PNG") and random.random() < 0.7:
        body = _with_right_checksums(body)
    if random.random() < 0.25:
        return Mutant(_form(body, random), "multipart/form-data; boundary=x")
    return Mutant(body, content_type)


def damage(body: bytes, random: Random) -> bytes:
    """Return the bytes with one damage, which may by chance leave them unchanged."""
    ways: tuple[Callable[[bytes, Random], bytes], ...] = (
        _flip, _flip, _flip_early, _flip_early, _put_telling, _put_telling, _cut, _drop, _repeat, _splice,
    )  # fmt: skip
    return ways[random.integers(len(ways))](body or b"\0", random)


def _span(body: bytes, random: Random) -> tuple[int, int]:
    start = int(random.integers(len(body)))
    return start, start + int(random.integers(1, 200))


def _flip(body: bytes, random: Random, within: int = 1 << 30) -> bytes:
    damaged = bytearray(body)
    for at in random.integers(0, min(len(body), within), random.integers(1, 9)):
        damaged[at] ^= 1 << int(random.integers(8))
    return bytes(damaged)


def _flip_early(body: bytes, random: Random) -> bytes:
    """Flip a byte where the headers are."""
    return _flip(body, random, within=400)


def _put_telling(body: bytes, random: Random) -> bytes:
    value = TELLING[random.integers(len(TELLING))]
    at = int(random.integers(min(len(body), 1000)))
    return body[:at] + value + body[at + len(value) :]


def _cut(body: bytes, random: Random) -> bytes:
    return body[: random.integers(len(body))]


def _drop(body: bytes, random: Random) -> bytes:
    start, end = _span(body, random)
    return body[:start] + body[end:]


def _repeat(body: bytes, random: Random) -> bytes:
    start, end = _span(body, random)
    return body[:end] + body[start:end] * int(random.integers(1, 20)) + body[end:]


def _splice(body: bytes, random: Random) -> bytes:
    """Join the beginning of one file and the end of another."""
    other = originals()[random.integers(len(originals()))]
    return body[: random.integers(len(body))] + other[random.integers(len(other)) :]


def _with_right_checksums(png: bytes) -> bytes:
    """Correct the checksums, so that the decoder reads further than them."""
    whole, at = bytearray(png), 8
    while at + 12 <= len(png):
        end = at + 8 + int.from_bytes(png[at : at + 4])
        if end + 4 > len(png):
            break
        whole[end : end + 4] = zlib.crc32(png[at + 4 : end]).to_bytes(4)
        at = end + 4
    return bytes(whole)


def _form(body: bytes, random: Random) -> bytes:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    end = b"\r\n--x--\r\n"
    if random.random() < 0.5:
        head = _flip(head, random)
    if random.random() < 0.2:
        end = _flip(end, random)
    return head + body + end


if __name__ == "__main__":
    sys.stdout.buffer.write(mutant(int(sys.argv[1])).body)
