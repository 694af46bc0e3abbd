"""JPEG files: unusual ones that every viewer shows, and damaged ones."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from PIL import Image

from tests.corpus.case import TOO_MANY, UNDECODABLE, Case
from tests.images.drawing import exif, file, gradient, swapped_profile, with_jpeg_segments

DRAWN = gradient(40, 56)
PLAIN = file(DRAWN, "JPEG")
SOF, SOS, DHT, DQT = b"\xff\xc0", b"\xff\xda", b"\xff\xc4", b"\xff\xdb"


def cases() -> Iterator[Case]:
    """Yield all cases."""
    for group in (_ways_to_write(), _oriented(), _notes(), _frames(), _torn(), _misbuilt()):
        for case in group:
            yield case._replace(name=f"jpeg-{case.name}", content_type="image/jpeg")


def _ways_to_write() -> Iterator[Case]:
    cmyk = file(Image.fromarray(DRAWN).convert("CMYK"), "JPEG")
    adobe = cmyk.index(b"Adobe")
    yield Case("baseline", PLAIN)
    yield Case("progressive", file(DRAWN, "JPEG", progressive=True))
    yield Case("grey", file(Image.fromarray(DRAWN).convert("L"), "JPEG"))
    yield Case("grey-progressive", file(Image.fromarray(DRAWN).convert("L"), "JPEG", progressive=True))
    yield Case("cmyk", cmyk)
    yield Case("ycck", cmyk[: adobe + 11] + b"\2" + cmyk[adobe + 12 :])
    yield Case("cmyk-without-adobe", cmyk[: adobe - 4] + cmyk[adobe + 12 :])
    yield Case("rgb-not-ycc", file(DRAWN, "JPEG", keep_rgb=True))
    for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
        yield Case(f"subsampled-{subsampling}", file(DRAWN, "JPEG", subsampling=subsampling))
    yield Case("quality-1", file(DRAWN, "JPEG", quality=1))
    yield Case("quality-100-optimized", file(DRAWN, "JPEG", quality=100, optimize=True))
    yield Case("restart-markers", file(DRAWN, "JPEG", restart_marker_rows=1))
    for height, width in ((1, 1), (1, 300), (300, 1), (7, 9), (1, 16_384)):
        yield Case(f"{width}x{height}", file(gradient(height, width), "JPEG"))
    yield Case("a-second-picture-as-cameras-write", _mpo())


def _mpo() -> bytes:
    return file(Image.fromarray(DRAWN), "MPO", save_all=True, append_images=[Image.fromarray(DRAWN[::-1])])


def _oriented() -> Iterator[Case]:
    for orientation in (*range(10), 65_535):
        yield Case(f"orientation-{orientation}", file(DRAWN, "JPEG", exif=exif(orientation)))


def _notes() -> Iterator[Case]:
    sound = exif(6)
    notes = {
        "empty": b"Exif\0\0",
        "of-another-order": b"Exif\0\0XX*\0" + sound[10:],
        "cut": sound[:20],
        "pointing-beyond": b"Exif\0\0II*\0\xff\xff\xff\xff",
        "pointing-at-itself": b"Exif\0\0II*\0\4\0\0\0",
        "of-65535-entries": b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(60_000),
        "looping": b"Exif\0\0II*\0\x08\0\0\0\0\0\x08\0\0\0",
    }
    for name, note in notes.items():
        yield Case(f"exif-{name}", with_jpeg_segments(PLAIN, b"\xff\xe1" + note))
    yield Case("exif-with-a-thumbnail", with_jpeg_segments(PLAIN, b"\xff\xe1" + sound + PLAIN))
    yield Case("exif-twice", with_jpeg_segments(PLAIN, b"\xff\xe1" + sound, b"\xff\xe1" + exif(3)))
    yield Case("comment-of-64-kb", with_jpeg_segments(PLAIN, b"\xff\xfe" + bytes(65_500)))
    yield Case("every-app-segment", with_jpeg_segments(PLAIN, *(bytes((0xFF, 0xE1 + n)) for n in range(13))))
    yield Case("profile", file(DRAWN, "JPEG", icc_profile=swapped_profile()))
    yield Case("profile-broken", file(DRAWN, "JPEG", icc_profile=b"nonsense" * 20))
    yield Case("profile-of-2-mb", file(DRAWN, "JPEG", icc_profile=swapped_profile().ljust(2_000_000, b"x")))
    profile = b"\xff\xe2ICC_PROFILE\0"
    yield Case(
        "profile-with-a-piece-missing", with_jpeg_segments(PLAIN, profile + b"\1\2" + swapped_profile())
    )
    yield Case("profile-of-no-pieces", with_jpeg_segments(PLAIN, profile + b"\0\0"))
    yield Case("jfif-of-nothing", with_jpeg_segments(PLAIN, b"\xff\xe0"))
    yield Case("jfif-cut", with_jpeg_segments(PLAIN, b"\xff\xe0JFIF\0"))
    yield Case("adobe-cut", with_jpeg_segments(PLAIN, b"\xff\xeeAdobe"))
    yield Case("profile-cut", with_jpeg_segments(PLAIN, profile))
    yield Case("junk-between-segments", PLAIN[:20] + bytes(5000) + PLAIN[20:])
    yield Case("fill-bytes-before-a-marker", PLAIN[:20] + b"\xff" * 50 + PLAIN[20:])
    for name, tail in (("garbage", b"\0garbage" * 500), ("zip", b"PK\3\4" + bytes(60)), ("jpeg", PLAIN)):
        yield Case(f"{name}-behind-the-end", PLAIN + tail)


def _frame(data: bytes, *, height: int = 40, width: int = 56, depth: int = 8, marker: int = 0xC0) -> bytes:
    at = data.index(SOF)
    header = struct.pack(">BBHBHH", 0xFF, marker, 17, depth, height, width)
    return data[:at] + header + data[at + 9 :]


def _frames() -> Iterator[Case]:
    yield Case("no-height", _frame(PLAIN, height=0), UNDECODABLE)
    yield Case("no-width", _frame(PLAIN, width=0), UNDECODABLE)
    yield Case("65535x65535", _frame(PLAIN, height=65_535, width=65_535), TOO_MANY)
    yield Case("16385x1", _frame(PLAIN, height=1, width=16_385), TOO_MANY)
    yield Case(
        "more-rows-than-data", _frame(PLAIN, height=4000, width=4000)
    )  # grey below, as viewers show it
    yield Case("fewer-rows-than-data", _frame(PLAIN, height=16))
    yield Case("12-bit", _frame(PLAIN, depth=12), UNDECODABLE)
    yield Case("0-bit", _frame(PLAIN, depth=0), UNDECODABLE)
    for marker in (0xC3, 0xC5, 0xC6, 0xC7, 0xC8, 0xCB, 0xCD, 0xCF):
        yield Case(f"process-{marker:x}", _frame(PLAIN, marker=marker), UNDECODABLE)
    at = PLAIN.index(SOF) + 9
    for components in (0, 2, 5, 255):
        yield Case(
            f"{components}-components", PLAIN[:at] + bytes((components,)) + PLAIN[at + 1 :], UNDECODABLE
        )
    yield Case("sampling-of-zero", PLAIN[: at + 2] + b"\0" + PLAIN[at + 3 :], UNDECODABLE)
    yield Case("sampling-of-fifteen", PLAIN[: at + 2] + b"\xff" + PLAIN[at + 3 :], UNDECODABLE)


def _torn() -> Iterator[Case]:
    yield Case("signature-alone", b"\xff\xd8\xff", UNDECODABLE)
    yield Case("begin-and-end-alone", b"\xff\xd8\xff\xd9", UNDECODABLE)
    noise = file(np.random.default_rng(5).integers(0, 256, (64, 64, 3), np.uint8), "JPEG")
    for percent in (1, 5, 20, 50, 90):
        yield Case(f"first-{percent}-percent", noise[: len(noise) * percent // 100], UNDECODABLE)
    yield Case("progressive-half", file(DRAWN, "JPEG", progressive=True)[:700], UNDECODABLE)
    for name, marker in (("frame", SOF), ("tables", DQT), ("scan", SOS)):
        yield Case(f"ends-in-{name}", PLAIN[: PLAIN.index(marker) + 6], UNDECODABLE)


def _misbuilt() -> Iterator[Case]:
    yield Case("without-frame", _without(PLAIN, SOF), UNDECODABLE)
    yield Case("without-quantization", _without(PLAIN, DQT), UNDECODABLE)
    yield Case("without-scan", PLAIN[: PLAIN.index(SOS)] + b"\xff\xd9", UNDECODABLE)
    frame = PLAIN.index(SOF)
    yield Case("two-frames", PLAIN[:frame] + PLAIN[frame : frame + 19] + PLAIN[frame:], UNDECODABLE)
    table = PLAIN.index(DHT)
    yield Case("huffman-overflow", PLAIN[: table + 5] + b"\xff" * 16 + PLAIN[table + 21 :], UNDECODABLE)
    yield Case("segment-of-no-length", PLAIN[:2] + b"\xff\xe1\0\0" + PLAIN[2:], UNDECODABLE)
    yield Case("segment-beyond-the-end", PLAIN[:2] + b"\xff\xe1\xff\xff" + PLAIN[2:], UNDECODABLE)
    yield Case("a-million-segments", PLAIN[:2] + b"\xff\xfe\0\2" * 1_000_000 + PLAIN[2:], UNDECODABLE)
    progressive = file(DRAWN, "JPEG", progressive=True)
    scan = progressive[progressive.rindex(SOS) : -2]
    yield Case("30-scans", progressive[:-2] + scan * 20 + progressive[-2:])
    yield Case("200-scans", progressive[:-2] + scan * 200 + progressive[-2:], UNDECODABLE)
    start = PLAIN.index(SOS)
    yield Case("scan-of-strange-components", PLAIN[: start + 5] + b"\x77" + PLAIN[start + 6 :], UNDECODABLE)
    yield Case("nothing-but-ff", b"\xff\xd8" + b"\xff" * 50_000, UNDECODABLE)
    yield Case("nested-begin", b"\xff\xd8\xff\xd8\xff\xd8" + PLAIN[2:])


def _without(data: bytes, marker: bytes) -> bytes:
    """Return the file without the segments of a marker."""
    while (at := data.find(marker)) >= 0 and at < data.index(SOS):
        data = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4]) :]
    return data
