"""Which pictures of a run are not those that it was started with."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from training.run_folder.picture_digests import decode, differences, encode

ODD = [b"a.png", b"a b.png", b"back\\slash.png", b"line\nend.png", b"\\n.png", b"return\r.png", b"\xff.png"]


def test_names_of_any_bytes_come_back() -> None:
    digests = {os.fsdecode(name): f"{index:064x}" for index, name in enumerate(ODD)}
    assert decode(encode(digests)) == digests


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not installed")
def test_sha256sum_checks_the_list(tmp_path: Path) -> None:
    digests = {}
    for name in map(os.fsdecode, ODD):
        (tmp_path / name).write_bytes(os.fsencode(name))
        digests[name] = hashlib.sha256(os.fsencode(name)).hexdigest()
    (tmp_path / "list").write_bytes(encode(digests))
    command = ["sha256sum", "--check", "--strict", "--status", "list"]
    assert subprocess.run(command, cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("junk", [b"\n", b"no list\n", b"ab  name.png\n", b"\xff" * 64 + b"  name.png\n"])
def test_other_bytes_are_not_a_list_of_digests(junk: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        decode(junk)


def test_differences_are_named_by_kind_ten_at_most() -> None:
    before = {f"trainA/{number}.png": "0" for number in range(12)} | {"trainB/x.png": "1"}
    found = differences(before, {"trainB/x.png": "2", "trainB/\udcff.png": "3"})
    assert str(found) == (
        "12 missing or unreadable (trainA/0.png, trainA/1.png, trainA/10.png, trainA/11.png, trainA/2.png, "
        "trainA/3.png, trainA/4.png, trainA/5.png, trainA/6.png, trainA/7.png and 2 more); "
        r"1 new (trainB/\xff.png); 1 changed (trainB/x.png)"
    )
    assert str(differences(before, before)) == ""
