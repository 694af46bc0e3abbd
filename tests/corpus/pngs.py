"""PNG files: every depth and colour type, chunks that programs add, and damaged files."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from itertools import product

import numpy as np
from PIL import Image

from tests.corpus.case import TOO_MANY, UNDECODABLE, UNSUPPORTED, Case
from tests.images.drawing import (
    exif,
    file,
    gradient,
    png_by_hand,
    png_chunk,
    swapped_profile,
    with_png_chunks,
)

DRAWN = gradient(40, 56)
PLAIN = file(DRAWN, "PNG")
SIGNATURE, END = PLAIN[:8], png_chunk(b"IEND", b"")
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
PALETTE = png_chunk(b"PLTE", bytes(range(256)) * 3)


def cases() -> Iterator[Case]:
    """Yield all cases."""
    for group in (_kinds(), _oriented(), _additions(), _sizes(), _headers(), _pixels(), _chunks(), _torn()):
        for case in group:
            yield case._replace(name=f"png-{case.name}")


def _header(width: int = 56, height: int = 40, rest: bytes = b"\x08\2\0\0\0") -> bytes:
    return png_chunk(b"IHDR", struct.pack(">II", width, height) + rest)


def _with_header(*arguments: int | bytes) -> bytes:
    return SIGNATURE + _header(*arguments) + PLAIN[33:]  # type: ignore[arg-type]


def _noise(depth: int, colour: int, height: int = 9, width: int = 13) -> bytes:
    row = (width * CHANNELS[colour] * depth + 7) // 8
    noise = np.random.default_rng(depth * 8 + colour).integers(0, 256, (height, row), np.uint8)
    return b"".join(b"\0" + line.tobytes() for line in noise)


def _kinds() -> Iterator[Case]:
    for colour, depths in DEPTHS.items():
        for depth in depths:
            extra = PALETTE[:8] + PALETTE[8:] if colour == 3 else b""
            rows = _noise(depth, colour)
            data = png_by_hand(9, 13, depth=depth, colour_type=colour, rows=rows, extra=extra)
            yield Case(f"type-{colour}-of-{depth}-bits", data)
            yield Case(f"type-{colour}-of-{depth}-bits-interlaced", _interlaced(depth, colour, extra))
    frames = [Image.fromarray(DRAWN), Image.fromarray(DRAWN[::-1])]
    yield Case("animated", file(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=40))
    for filter_type in range(1, 5):
        rows = bytes(b for row in range(9) for b in (filter_type, *([7] * 39)))
        yield Case(f"filter-{filter_type}", png_by_hand(9, 13, depth=8, colour_type=2, rows=rows))


def _interlaced(depth: int, colour: int, extra: bytes) -> bytes:
    """Return an Adam7 PNG: the rows of the seven passes one after the other."""
    passes = (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    )
    rows = b""
    for left, top, across, down in passes:
        width, height = -(-(13 - left) // across), -(-(9 - top) // down)
        rows += _noise(depth, colour, height, width)
    header = _header(13, 9, bytes((depth, colour, 0, 0, 1)))
    return SIGNATURE + header + extra + png_chunk(b"IDAT", zlib.compress(rows)) + END


def _oriented() -> Iterator[Case]:
    for orientation in (*range(1, 10), 65_535):
        yield Case(f"orientation-{orientation}", file(DRAWN, "PNG", exif=exif(orientation)))


def _additions() -> Iterator[Case]:
    bomb = zlib.compress(bytes(100_000_000))
    chunks = {
        "profile": png_chunk(b"iCCP", b"x\0\0" + zlib.compress(swapped_profile())),
        "profile-broken": png_chunk(b"iCCP", b"x\0\0" + zlib.compress(b"nonsense" * 20)),
        "profile-not-deflated": png_chunk(b"iCCP", b"x\0\0" + swapped_profile()),
        "profile-bomb": png_chunk(b"iCCP", b"x\0\0" + bomb),
        "profile-without-end": png_chunk(b"iCCP", b"x" * 100),
        "text": png_chunk(b"tEXt", b"Comment\0" + b"x" * 100_000),
        "text-bomb": png_chunk(b"zTXt", b"Comment\0\0" + bomb),
        "international-text-bomb": png_chunk(b"iTXt", b"Comment\0\1\0\0\0" + bomb),
        "text-of-nothing": png_chunk(b"tEXt", b""),
        "exif-broken": png_chunk(b"eXIf", b"II*\0\xff\xff\xff\xff"),
        "exif-empty": png_chunk(b"eXIf", b""),
        "gamma-of-zero": png_chunk(b"gAMA", bytes(4)),
        "gamma-of-nothing": png_chunk(b"gAMA", b""),
        "chromaticities-cut": png_chunk(b"cHRM", b"\0"),
        "animation-of-no-frames": png_chunk(b"acTL", bytes(8)),
        "animation-of-2-billion-frames": png_chunk(b"acTL", b"\x7f\xff\xff\xff\0\0\0\0"),
        "animation-control-cut": png_chunk(b"fcTL", b"\0"),
        "unknown-chunk": png_chunk(b"waHt", b"?"),
        "unknown-critical-chunk": png_chunk(b"WAHT", b"?"),
        "chunk-of-no-letters": png_chunk(b"\0\xff\1\2", b"?"),
        "wrong-checksum-of-a-comment": png_chunk(b"tEXt", b"a\0b")[:-1] + b"?",
        "transparency-of-another-kind": png_chunk(b"tRNS", b"\0"),
    }
    for name, chunk in chunks.items():
        expected = UNDECODABLE if name == "transparency-of-another-kind" else (200, "")
        yield Case(name, with_png_chunks(PLAIN, chunk), expected)
    tails = {"garbage": b"garbage" * 500, "zip": b"PK\3\4" + bytes(60), "png": PLAIN, "html": b"<script>"}
    for name, tail in tails.items():
        yield Case(f"{name}-behind-the-end", PLAIN + tail)


def _sizes() -> Iterator[Case]:
    for height, width in ((1, 1), (1, 2000), (2000, 1), (1, 16_384)):
        yield Case(f"{width}x{height}", file(gradient(height, width), "PNG"))
    for width, height in ((0, 0), (0, 40), (56, 0)):
        yield Case(f"{width}x{height}", _with_header(width, height), UNDECODABLE)
    sizes = ((16_385, 1), (1, 16_385), (8000, 8000), (2**31 - 1, 2**31 - 1), (2**32 - 1, 1))
    for width, height in sizes:
        yield Case(f"{width}x{height}", _with_header(width, height), TOO_MANY)
    rows = zlib.compress(bytes(9000 * (1 + 9000 // 8)))
    bomb = _header(9000, 9000, b"\1\0\0\0\0") + png_chunk(b"IDAT", rows) + END
    yield Case("81-megapixels-in-10-kb", SIGNATURE + bomb, TOO_MANY)


def _headers() -> Iterator[Case]:
    for depth, colour in product((0, 1, 3, 8, 16, 32), (0, 1, 2, 3, 4, 5, 6, 7)):
        if depth not in DEPTHS.get(colour, ()) and (depth in (3, 8) or colour in (2, 3)):
            name, header = f"type-{colour}-of-{depth}-bits", bytes((depth, colour, 0, 0, 0))
            yield Case(name, _with_header(56, 40, header), UNDECODABLE)
    yield Case("another-compression", _with_header(56, 40, b"\x08\2\1\0\0"))  # there is only one
    yield Case("another-filter-method", _with_header(56, 40, b"\x08\2\0\1\0"), UNDECODABLE)
    yield Case("header-cut", SIGNATURE + png_chunk(b"IHDR", PLAIN[16:28]) + PLAIN[33:], UNDECODABLE)
    yield Case("header-with-wrong-checksum", PLAIN[:32] + b"?" + PLAIN[33:], UNDECODABLE)
    yield Case("no-header", SIGNATURE + PLAIN[33:], UNDECODABLE)
    yield Case("header-last", SIGNATURE + PLAIN[33:-12] + PLAIN[8:33] + END, UNDECODABLE)
    yield Case("through-a-text-mode", PLAIN.replace(b"\r\n", b"\n"), UNSUPPORTED)
    yield Case("behind-a-byte-order-mark", b"\xef\xbb\xbf" + PLAIN, UNSUPPORTED)


def _pixels() -> Iterator[Case]:
    def rgb(idat: bytes) -> bytes:
        return SIGNATURE + _header() + idat + END

    def deflated(rows: bytes) -> bytes:
        return rgb(png_chunk(b"IDAT", zlib.compress(rows)))

    rows = bytes(40 * (1 + 56 * 3))
    yield Case("no-pixels", rgb(b""), UNDECODABLE)
    yield Case("empty-pixels", rgb(png_chunk(b"IDAT", b"")), UNDECODABLE)
    yield Case("half-the-rows", deflated(rows[: len(rows) // 2]))  # the rest black, as viewers show it
    yield Case("more-rows-than-said", deflated(rows * 2))
    yield Case("100-mb-behind-the-rows", deflated(rows + bytes(100_000_000)))
    yield Case("filter-of-no-kind", deflated(b"\x09" + rows[1:]), UNDECODABLE)
    yield Case("not-deflated", rgb(png_chunk(b"IDAT", b"\0" * 500)), UNDECODABLE)
    packed = zlib.compress(rows)
    pieces = b"".join(png_chunk(b"IDAT", packed[at : at + 1]) for at in range(len(packed)))
    yield Case("one-byte-a-chunk", rgb(pieces))
    yield Case("70000-empty-chunks", rgb(png_chunk(b"IDAT", b"") * 70_000), UNDECODABLE)
    yield Case("wrong-checksum", rgb(png_chunk(b"IDAT", packed)[:-1] + b"?"))  # zlib has one of its own
    yield Case("raw-deflate", rgb(png_chunk(b"IDAT", packed[2:-4])), UNDECODABLE)


def _chunks() -> Iterator[Case]:
    indexed = _header(13, 9, b"\x08\3\0\0\0")
    pixels = png_chunk(b"IDAT", zlib.compress(_noise(8, 3))) + END
    yield Case("palette-of-one", SIGNATURE + indexed + png_chunk(b"PLTE", b"\1\2\3") + pixels)
    yield Case("palette-missing", SIGNATURE + indexed + pixels)  # the indices are read as grey levels
    length_lies = PLAIN[:33] + b"\xff\xff\xff\xff" + PLAIN[37:]
    yield Case("pixels-of-4-gb", length_lies)  # the length is wrong, but all rows are there
    yield Case("chunk-of-4-gb", PLAIN[:33] + b"\xff\xff\xff\xfftEXt" + PLAIN[33:], UNDECODABLE)
    yield Case("chunk-longer-than-the-file", PLAIN[:33] + b"\0\1\0\0tEXt" + PLAIN[33:], UNDECODABLE)
    yield Case("apples-own-png", SIGNATURE + png_chunk(b"CgBI", bytes(4)) + PLAIN[8:])
    yield Case("header-twice", PLAIN[:33] + PLAIN[8:33] + PLAIN[33:])


def _torn() -> Iterator[Case]:
    noise = file(np.random.default_rng(5).integers(0, 256, (64, 64, 3), np.uint8), "PNG")
    yield Case("signature-alone", SIGNATURE, UNDECODABLE)
    for percent in (1, 5, 20, 50, 90):
        yield Case(f"first-{percent}-percent", noise[: len(noise) * percent // 100], UNDECODABLE)
    yield Case("without-its-end", noise[:-12])
