"""What a file is by its first bytes."""

import pytest

from models.files.kinds import kind_of


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"", "empty (0 bytes)"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "a Git LFS pointer"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b"\xef\xbb\xbf\r\n <HTML><body>", "a web page"),
        (b"<!-- saved from url --><html>", "a web page"),
        ("<html><svg>".encode("utf-16"), "a web page"),
        (b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "x"><html>', "a web page"),
        (b'<?xml version="1.0"?><!DOCTYPE svg PUBLIC "x"><svg><title>', "an SVG drawing"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>", "an SVG drawing"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "an XML document"),
        (b'{"message": "Not Found"}', "a JSON document"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC picture"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "a HEIC picture"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "an AVIF picture"),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "an AVIF picture"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "a video"),
        (b"II*\0\x08\0\0\0", "a TIFF picture"),
        (b"MM\0+", "a TIFF picture"),
        (b"GIF89a", "a GIF picture"),
        (b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "a BMP picture"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\x1f\x8b\x08", "a gzip archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"PK\x03\x04", "a ZIP archive"),
        (bytes(257) + b"ustar", "a tar archive"),
        (b'\x20\0\0\0\0\0\0\0{"a":', "a safetensors file"),
    ],
)
def test_file_type_is_found_by_the_first_bytes(head: bytes, what: str) -> None:
    kind = kind_of(head)
    assert kind is not None
    assert kind.what == what


@pytest.mark.parametrize("head", [b"hello", b"BM", b"< 3", b"{}", b"\0" * 2000, b"\x80\x02}q\0."])
def test_unknown_file_has_no_type(head: bytes) -> None:
    assert kind_of(head) is None
