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
def test_name_becomes_one_line_of_valid_utf_8(name: bytes, text: str) -> None:
    assert as_text(Path(os.fsdecode(name))) == text


def test_bytes_not_decoded_by_an_ascii_locale_are_read_as_utf_8() -> None:
    assert as_text("日本.png".encode().decode("ascii", "surrogateescape")) == "日本.png"


def test_text_file_can_contain_any_name(tmp_path: Path) -> None:
    write_text(tmp_path / "list.txt", f"日本\n{os.fsdecode(b'caf' + bytes([0xE9]))}\n")
    assert (tmp_path / "list.txt").read_bytes() == "日本\ncaf\\xe9\n".encode()


@pytest.mark.parametrize(("encoding", "written"), [("utf-8", "… caf\\xe9"), ("ascii", "\\u2026 caf\\xe9")])
def test_name_that_a_terminal_cannot_show_is_escaped(
    monkeypatch: pytest.MonkeyPatch, encoding: str, written: str
) -> None:
    terminal = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(terminal, encoding=encoding))
    escape_output()
    print(f"… {os.fsdecode(b'caf' + bytes([0xE9]))}", end="", flush=True)
    assert terminal.getvalue() == written.encode()
