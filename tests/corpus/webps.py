"""WebP files: lossy, lossless, animated, with every chunk of the container, and damaged ones."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from PIL import Image

from tests.corpus.case import TOO_MANY, UNDECODABLE, UNSUPPORTED, Case
from tests.images.drawing import exif, file, gradient, swapped_profile

DRAWN = gradient(40, 56)
LOSSLESS = file(DRAWN, "WEBP")
LOSSY = file(DRAWN, "WEBP", lossless=False)
CLEAR = np.dstack([DRAWN, DRAWN[..., :1]])


def cases() -> Iterator[Case]:
    """Yield all cases."""
    for group in (_ways_to_write(), _notes(), _containers(), _torn()):
        for case in group:
            yield case._replace(name=f"webp-{case.name}", content_type="image/webp")


def _riff(*chunks: tuple[bytes, bytes], size: int | None = None, form: bytes = b"WEBP") -> bytes:
    body = b"".join(
        name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for name, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4 if size is None else size) + form + body


def _extended(flags: int, width: int, height: int) -> tuple[bytes, bytes]:
    corner = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X", bytes((flags, 0, 0, 0)) + corner


def _chunk(data: bytes) -> tuple[bytes, bytes]:
    """Return the only chunk of a plain file."""
    size = int.from_bytes(data[16:20], "little")
    return data[12:16], data[20 : 20 + size]


def _ways_to_write() -> Iterator[Case]:
    yield Case("lossless", LOSSLESS)
    yield Case("lossy", LOSSY)
    yield Case("quality-0", file(DRAWN, "WEBP", lossless=False, quality=0))
    yield Case("lossless-with-alpha", file(Image.fromarray(CLEAR), "WEBP"))
    yield Case("lossy-with-alpha", file(Image.fromarray(CLEAR), "WEBP", lossless=False))
    yield Case("grey", file(Image.fromarray(DRAWN).convert("L"), "WEBP"))
    frames = [Image.fromarray(DRAWN), Image.fromarray(DRAWN[::-1])]
    animated = file(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=40)
    yield Case("animated", animated)
    yield Case("animated-cut-in-its-second-frame", animated[:-20], UNDECODABLE)
    for height, width in ((1, 1), (1, 300), (300, 1), (1, 16_383)):
        yield Case(f"{width}x{height}", file(gradient(height, width), "WEBP"))


def _notes() -> Iterator[Case]:
    for orientation in (*range(1, 10), 65_535):
        yield Case(f"orientation-{orientation}", file(DRAWN, "WEBP", exif=exif(orientation)))
    yield Case("exif-broken", file(DRAWN, "WEBP", exif=b"II*\0\xff\xff\xff\xff"))
    yield Case("profile", file(DRAWN, "WEBP", icc_profile=swapped_profile()))
    yield Case("profile-broken", file(DRAWN, "WEBP", icc_profile=b"nonsense" * 20))
    yield Case("profile-of-2-mb", file(DRAWN, "WEBP", icc_profile=swapped_profile().ljust(2_000_000, b"x")))
    yield Case("xmp", file(DRAWN, "WEBP", xmp=b"<x:xmpmeta/>" * 5000))


def _containers() -> Iterator[Case]:
    picture = _chunk(LOSSY)
    yield Case("extended-without-need", _riff(_extended(0, 56, 40), picture))
    yield Case("unknown-chunk-behind", _riff(_extended(0, 56, 40), picture, (b"WHAT", b"?")))
    yield Case("canvas-of-another-size", _riff(_extended(0, 20, 20), picture), UNDECODABLE)
    yield Case("canvas-of-16-million", _riff(_extended(0, 1 << 24, 1 << 24), picture), TOO_MANY)
    yield Case("canvas-of-16385", _riff(_extended(0, 16_385, 1), picture), TOO_MANY)
    yield Case("extended-without-picture", _riff(_extended(0, 56, 40)), UNDECODABLE)
    yield Case("animated-without-frames", _riff(_extended(2, 56, 40), (b"ANIM", bytes(6))), UNDECODABLE)
    yield Case("extended-header-cut", _riff((b"VP8X", b"\0")), UNDECODABLE)
    yield Case("unknown-chunk-first", _riff((b"WHAT", b"?"), picture), UNDECODABLE)
    yield Case("no-chunks", _riff(), UNDECODABLE)
    yield Case("riff-says-zero", _riff(picture, size=0), UNDECODABLE)
    yield Case("riff-says-4-gb", _riff(picture, size=0xFFFF_FFFE), UNDECODABLE)
    yield Case("riff-says-less", _riff(picture, size=50), UNDECODABLE)
    yield Case("of-another-form", _riff(picture, form=b"WAVE"), UNSUPPORTED)
    yield Case("garbage-behind-the-end", LOSSY + b"garbage" * 100)
    yield Case(
        "lossy-frame-of-no-size", _riff((b"VP8 ", picture[1][:6] + bytes(4) + picture[1][10:])), UNDECODABLE
    )
    yield Case(
        "lossy-without-start-code", _riff((b"VP8 ", picture[1][:3] + bytes(3) + picture[1][6:])), UNDECODABLE
    )
    yield Case("lossless-without-signature", _riff((b"VP8L", b"\0" + _chunk(LOSSLESS)[1][1:])), UNDECODABLE)
    yield Case("lossless-of-16384", _riff((b"VP8L", b"\x2f\xff\xff\xff\x0f" + bytes(50))), TOO_MANY)
    yield Case("empty-picture", _riff((b"VP8L", b"")), UNDECODABLE)


def _torn() -> Iterator[Case]:
    yield Case("signature-alone", b"RIFF\0\0\0\0WEBP", UNDECODABLE)
    noise = np.random.default_rng(5).integers(0, 256, (64, 64, 3), np.uint8)
    for name, data in (("lossless", file(noise, "WEBP")), ("lossy", file(noise, "WEBP", lossless=False))):
        for percent in (1, 20, 50, 90):
            cut = data[: max(16, len(data) * percent // 100)]
            yield Case(f"{name}-first-{percent}-percent", cut, UNDECODABLE)
