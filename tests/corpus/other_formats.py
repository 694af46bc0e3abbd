"""Files in other formats, declared to be a picture."""

from __future__ import annotations

import gzip
import io
import pickle
import zipfile
from collections.abc import Iterator

from PIL import Image

from tests.corpus.case import NO_FILE, UNSUPPORTED, Case
from tests.images.drawing import file, gradient

DRAWN = Image.fromarray(gradient(16, 24))
ENTITIES = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg>&b;</svg>'


def cases() -> Iterator[Case]:
    """Yield all cases, each declared to be a PNG."""
    yield Case("empty", b"", NO_FILE)
    for name, body in {**_pictures(), **_documents()}.items():
        yield Case(name, body, UNSUPPORTED)


def _pictures() -> dict[str, bytes]:
    saved = {
        kind: file(DRAWN, kind)
        for kind in ("BMP", "TIFF", "ICO", "PPM", "TGA", "PCX", "PDF", "EPS", "DDS", "SGI")
    }
    return saved | {
        "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        "SVG-of-entities": ENTITIES,
        "SVG-that-fetches": b"<svg><image href='http://169.254.169.254/latest/meta-data'/></svg>",
        "MVG": b"push graphic-context\nfill 'url(https://example.org/x.jpg\"|ls \"-la)'\n",
        "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200),
        "AVIF": b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + bytes(200),
        "JPEG-XL": b"\xff\x0a" + bytes(100),
        "JPEG-2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(100),
        "JPEG-2000-codestream": b"\xff\x4f\xff\x51" + bytes(100),
        "PSD": b"8BPS\0\1" + bytes(100),
    }


def _documents() -> dict[str, bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../etc/passwd", bytes(1_000_000))
        archive.writestr("photo.png", file(DRAWN, "PNG"))
    return {
        "zip": packed.getvalue(),
        "gzip": gzip.compress(file(DRAWN, "PNG")),
        "HTML": b"<!doctype html><img src=x onerror=alert(1)>",
        "text": b"hello",
        "one-byte": b"\xff",
        "one-zero": b"\0",
        "a-megabyte-of-zeros": bytes(1_000_000),
        "address": b"http://169.254.169.254/latest/meta-data",
        "path": b"/etc/passwd",
        "base64": b"data:image/png;base64,iVBORw0KGgo=",
        "JSON": b'{"file": "photo.png"}',
        "pickle": pickle.dumps({"file": 1}),
        "script": b"#!/bin/sh\nrm -rf /\n",
        "program": b"\x7fELF\2\1\1" + bytes(100),
        "windows-program": b"MZ" + bytes(100),
        "video": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(200),
        "sound": b"RIFF\x24\0\0\0WAVEfmt " + bytes(50),
        "riff-alone": b"RIFF",
        "half-a-signature-of-png": b"\x89PNG\r\n",
        "half-a-signature-of-jpeg": b"\xff\xd8",
        "form": b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
        + file(DRAWN, "PNG")
        + b"\r\n--x--\r\n",
    }
