"""Unusual and invalid forms and Content-Types with a valid picture."""

from __future__ import annotations

from collections.abc import Iterator

from tests.corpus.case import MALFORMED, NO_FILE, SECOND_PART, UNSUPPORTED, WRONG_TYPE, Case
from tests.images.drawing import file, gradient

PICTURE = file(gradient(40, 56), "PNG")
FORM = "multipart/form-data; boundary=x"
NAME = b'Content-Disposition: form-data; name="file"'


def cases() -> Iterator[Case]:
    """Yield all cases."""
    yield from _types()
    for group in (_good_forms(), _bad_forms(), _boundaries()):
        for case in group:
            yield case._replace(name=f"form-{case.name}")


def _part(*headers: bytes, content: bytes = PICTURE, end: bytes = b"\r\n") -> bytes:
    return b"--x" + end + end.join([*headers, b"", content]) + end


def _form(*headers: bytes, content: bytes = PICTURE) -> bytes:
    return _part(*headers, content=content) + b"--x--\r\n"


def _types() -> Iterator[Case]:
    for declared in (
        "image/png",
        "image/jpeg",
        "image/webp",
        "IMAGE/PNG",
        "image/png; charset=utf-8",
        " image/png ",
        "",
        ";",
        "image/*",
        "application/octet-stream",
    ):
        yield Case(f"declared-{declared!r}", PICTURE, content_type=declared)
    strange = (
        "image/bmp", "image/svg+xml", "image/png, image/jpeg",
        "application/json", "multipart/mixed; boundary=x", "multipart/form-datax; boundary=x", "png",
        "image/", "/", "image/png\\", "x" * 5000,
    )  # fmt: skip
    for declared in strange:
        yield Case(f"declared-{declared[:30]!r}", PICTURE, WRONG_TYPE, declared)


def _good_forms() -> Iterator[Case]:
    names = {
        "plain": (NAME,),
        "with-file-name": (NAME + b'; filename="a.png"', b"Content-Type: image/png"),
        "with-wrong-type": (NAME, b"Content-Type: text/html"),
        "with-nonsense-type": (NAME, b"Content-Type: \xff\xfe"),
        "with-path-as-file-name": (NAME + b'; filename="../../etc/passwd"',),
        "with-windows-path": (NAME + b'; filename="C:\\\\photos\\\\a.png"',),
        "with-file-name-of-utf-8": (NAME + '; filename="\u5199\u771f.png"'.encode(),),
        "with-extended-file-name": (NAME + b"; filename*=UTF-8''%e5%86%99.png",),
        "with-more-headers": (NAME, b"X-More: 1", b"Content-Length: 5"),
        "with-unquoted-name": (b"content-disposition: form-data; name=file",),
    }
    for name, headers in names.items():
        yield Case(name, _form(*headers), content_type=FORM)
    yield Case("with-a-preamble", b"\r\n" + _form(NAME), content_type=FORM)
    yield Case("with-an-epilogue", _form(NAME) + b"epilogue", content_type=FORM)
    yield Case(
        "with-its-boundary-inside", _form(NAME, content=PICTURE + b"\r\n--xx\r\n--y"), content_type=FORM
    )
    yield Case("with-upper-case-type", _form(NAME), content_type="Multipart/Form-Data; BOUNDARY=x")


def _bad_forms() -> Iterator[Case]:
    yield Case("empty", b"", MALFORMED, FORM)
    yield Case("no-form", PICTURE, MALFORMED, FORM)
    yield Case("not-ended", _part(NAME), MALFORMED, FORM)
    yield Case("cut-in-a-header", b"--x\r\nContent-Dis", MALFORMED, FORM)
    yield Case("cut-in-the-picture", _form(NAME)[:200], MALFORMED, FORM)
    yield Case("ended-at-once", b"--x--\r\n", NO_FILE, FORM)
    yield Case("of-another-name", _form(NAME.replace(b"file", b"photo")), NO_FILE, FORM)
    yield Case("of-no-name", _form(b"Content-Disposition: form-data"), NO_FILE, FORM)
    yield Case("of-no-disposition", _form(b"Content-Type: image/png"), NO_FILE, FORM)
    yield Case("of-no-headers", b"--x\r\n\r\n" + PICTURE + b"\r\n--x--\r\n", NO_FILE, FORM)
    yield Case("of-no-content", _form(NAME, content=b""), NO_FILE, FORM)
    yield Case("of-text", _form(NAME, content=b"hello"), UNSUPPORTED, FORM)
    yield Case("of-two-files", _part(NAME) + _form(NAME), SECOND_PART, FORM)
    yield Case("of-a-file-and-a-field", _part(NAME) + _form(b"A: b", content=b"c"), SECOND_PART, FORM)
    yield Case("of-100000-parts", _part(NAME, content=b"") * 100_000 + b"--x--", SECOND_PART, FORM)
    yield Case("of-20000-headers", _form(NAME, *[b"A: b"] * 20_000), MALFORMED, FORM)
    yield Case("with-an-endless-header", _form(NAME, b"A: " + b"b" * 1_000_000), MALFORMED, FORM)
    yield Case("with-an-endless-file-name", _form(NAME + b"; filename=" + b"a" * 50_000), MALFORMED, FORM)
    yield Case("with-a-header-of-no-name", _form(NAME, b": b"), MALFORMED, FORM)
    yield Case("with-a-space-in-a-header", _form(NAME, b"A B: c"), MALFORMED, FORM)
    yield Case("with-bare-line-feeds", _part(NAME, end=b"\n") + b"--x--\n", MALFORMED, FORM)


def _boundaries() -> Iterator[Case]:
    yield Case("boundary-quoted", _form(NAME), content_type='multipart/form-data; boundary="x"')
    yield Case("boundary-missing", _form(NAME), MALFORMED, "multipart/form-data")
    yield Case("boundary-empty", _form(NAME), MALFORMED, "multipart/form-data; boundary=")
    yield Case("boundary-of-another-form", _form(NAME), MALFORMED, "multipart/form-data; boundary=y")
    yield Case("boundary-too-long", _form(NAME), MALFORMED, f"multipart/form-data; boundary={'x' * 300}")
