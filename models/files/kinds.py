"""Find a file's type by its first bytes, to name files sent by mistake."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

HEAD_BYTES: Final = 1024
"""The number of bytes that `kind_of` reads."""

Family = Literal[
    "empty", "pointer", "page", "data", "picture", "drawing", "document", "video", "archive", "weights"
]


class Kind(NamedTuple):
    """A type of file."""

    what: str
    """With its article, for a message: `a PDF document`."""
    family: Family
    """Files of one family get the same advice."""


_EMPTY: Final = Kind("empty (0 bytes)", "empty")
_POINTER: Final = Kind("a Git LFS pointer", "pointer")
_PAGE: Final = Kind("a web page", "page")
_XML: Final = Kind("an XML document", "data")
_JSON: Final = Kind("a JSON document", "data")
_SVG: Final = Kind("an SVG drawing", "drawing")
_HEIC: Final = Kind("a HEIC picture", "picture")
_AVIF: Final = Kind("an AVIF picture", "picture")
_RAW: Final = Kind("a camera's raw picture", "picture")
_VIDEO: Final = Kind("a video", "video")
_TIFF: Final = Kind("a TIFF picture", "picture")
_ZIP: Final = Kind("a ZIP archive", "archive")

_SIGNATURES: Final[tuple[tuple[int, bytes, Kind], ...]] = (
    (0, b"\x89PNG\r\n\x1a\n", Kind("a PNG picture", "picture")),
    (0, b"\xff\xd8\xff", Kind("a JPEG picture", "picture")),
    (0, b"GIF87a", Kind("a GIF picture", "picture")),
    (0, b"GIF89a", Kind("a GIF picture", "picture")),
    (0, b"II*\0", _TIFF),
    (0, b"MM\0*", _TIFF),
    (0, b"II+\0", _TIFF),
    (0, b"MM\0+", _TIFF),
    (0, b"FUJIFILMCCD-RAW", _RAW),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", Kind("a JPEG XL picture", "picture")),
    (0, b"\xff\x0a", Kind("a JPEG XL picture", "picture")),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", Kind("a JPEG 2000 picture", "picture")),
    (0, b"\xff\x4f\xff\x51", Kind("a JPEG 2000 picture", "picture")),
    (0, b"8BPS", Kind("a Photoshop picture", "picture")),
    (0, b"\0\0\1\0", Kind("an icon", "picture")),
    (0, b"%PDF-", Kind("a PDF document", "document")),
    (0, b"%!PS", Kind("a PostScript document", "document")),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind("an Office document", "document")),
    (0, b"\x1aE\xdf\xa3", _VIDEO),
    (8, b"AVI ", _VIDEO),
    (0, b"PK\3\4", _ZIP),
    (0, b"PK\5\6", _ZIP),
    (0, b"\x1f\x8b", Kind("a gzip archive", "archive")),
    (0, b"BZh", Kind("a bzip2 archive", "archive")),
    (0, b"\xfd7zXZ\0", Kind("an xz archive", "archive")),
    (0, b"\x28\xb5\x2f\xfd", Kind("a Zstandard archive", "archive")),
    (0, b"7z\xbc\xaf\x27\x1c", Kind("a 7z archive", "archive")),
    (0, b"Rar!\x1a\7", Kind("a RAR archive", "archive")),
    (257, b"ustar", Kind("a tar archive", "archive")),
    (0, b"\x89HDF\r\n\x1a\n", Kind("an HDF5 file", "weights")),
    (0, b"\x93NUMPY", Kind("a NumPy array", "weights")),
)
_BITMAP_HEADERS: Final = frozenset({12, 40, 52, 56, 64, 108, 124})
_RAW_BRANDS: Final = frozenset({b"crx "})
_HEIC_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"mif2"}
)
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})

_SAFETENSORS_HEADER_BYTES: Final = 100_000_000  # the most that the format allows

_MARKUP: Final = re.compile(rb"<(?:[!?]?[a-z]|!--)", re.IGNORECASE)
_TAG: Final = re.compile(rb"<(?:!doctype\s+)?(svg|html|head|body|title|meta|script|div|p)\b", re.IGNORECASE)


def kind_of(data: bytes) -> Kind | None:
    """Return a file's type by its first bytes, or None if it is unknown.

    Args:
        data: the whole file, or at least its first `HEAD_BYTES`.
    """
    if not data:
        return _EMPTY
    head = data[:HEAD_BYTES]
    for offset, signature, kind in _SIGNATURES:
        if head.startswith(signature, offset):
            return kind
    if head[4:8] == b"ftyp":
        return _of_brands(head)
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BITMAP_HEADERS:
        return Kind("a BMP picture", "picture")
    if head[8:10] == b'{"' and int.from_bytes(head[:8], "little") <= _SAFETENSORS_HEADER_BYTES:
        return Kind("a safetensors file", "weights")
    return _of_text(_narrow(head))


def _of_brands(head: bytes) -> Kind:
    """Return the type of a file in the ISO base media format, by its brands."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[start : start + 4] for start in range(16, end - 3, 4))}
    if brands & _AVIF_BRANDS:
        return _AVIF
    if brands & _HEIC_BRANDS:
        return _HEIC
    return _RAW if brands & _RAW_BRANDS else _VIDEO


def _narrow(head: bytes) -> bytes:
    """Return text of any Unicode encoding as ASCII, without a byte order mark and leading spaces."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "ignore").encode("ascii", "replace").lstrip()
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()


def _of_text(text: bytes) -> Kind | None:
    if text.startswith(b"version https://git-lfs.github.com/spec/"):
        return _POINTER
    if _MARKUP.match(text):
        tag = _TAG.search(text)
        if tag is None:
            return _XML
        return _SVG if tag[1].lower() == b"svg" else _PAGE
    return _JSON if re.match(rb'[{\[]\s*["{\[]', text) else None
