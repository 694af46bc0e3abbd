"""Names of any bytes as text."""

import io
import os
import sys
from pathlib import Path

import pytest

from models.files.text import as_text, escape_output, write_text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"caf\xe9.png", r"caf\xe9.png"),
        ("日本 é.png".encode(), "日本 é.png"),
        (b"two\nlines\x1b[31m.png", r"two\nlines\x1b[31m.png"),
    ],
)
def test_a_name_becomes_one_line_that_utf_8_can_hold(name: bytes, text: str) -> None:
    assert as_text(Path(os.fsdecode(name))) == text


def test_bytes_that_an_ascii_locale_could_not_decode_are_read_as_utf_8() -> None:
    assert as_text("日本.png".encode().decode("ascii", "surrogateescape")) == "日本.png"


def test_a_text_file_holds_any_name_in_utf_8(tmp_path: Path) -> None:
    write_text(tmp_path / "list.txt", f"日本\n{os.fsdecode(b'caf' + bytes([0xE9]))}\n")
    assert (tmp_path / "list.txt").read_bytes() == "日本\ncaf\\xe9\n".encode()


@pytest.mark.parametrize(("encoding", "written"), [("utf-8", "… caf\\xe9"), ("ascii", "\\u2026 caf\\xe9")])
def test_a_terminal_that_cannot_show_a_name_shows_an_escape(
    monkeypatch: pytest.MonkeyPatch, encoding: str, written: str
) -> None:
    terminal = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(terminal, encoding=encoding))
    escape_output()
    print(f"… {os.fsdecode(b'caf' + bytes([0xE9]))}", end="", flush=True)
    assert terminal.getvalue() == written.encode()
