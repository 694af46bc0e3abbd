"""Pictures that a run cannot read are listed in its folder."""

from __future__ import annotations

import os
from pathlib import Path

from tests.data.making import make_folder
from training.config.run_config import from_mapping
from training.data.scan import scan
from training.run_folder.folder import RunFolder


def test_the_list_of_unreadable_files_supports_names_of_any_bytes(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data", {"trainA": 12, "trainB": 12, "testA": 2, "testB": 2})
    (folder / os.fsdecode(b"trainB/caf\xe9.png")).write_bytes(b"no picture")
    path = tmp_path / os.fsdecode(b"l\xe4uf")
    run = RunFolder(path)
    run.make()
    run.create(from_mapping({}), folder, scan(folder), speed={})
    assert (path / "unreadable.txt").read_bytes().startswith(rb"trainB/caf\xe9.png: ")
    assert run.read()[1] == folder


def test_unreadable_files_are_listed_in_the_run_folder(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data", {"trainA": 12, "trainB": 12, "testA": 2, "testB": 2})
    (folder / "trainB" / "broken.png").write_bytes(b"no picture")
    run = RunFolder(tmp_path / "run")
    run.make()
    run.create(from_mapping({}), folder, scan(folder), speed={})
    assert (run.path / "unreadable.txt").read_text() == (
        "trainB/broken.png: This is not a JPEG, PNG, APNG, WebP or GIF picture; save or export it as one of "
        "these.\n"
    )
