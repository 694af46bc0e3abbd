"""What counts as a picture below a folder, and what is named instead."""

import os
from pathlib import Path

import pytest

from models.files.walk import DANGLING, FOREIGN, HIDDEN, REPEATED, SPECIAL, LeftOut, Walk, summary, walk


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def pictures(walked: Walk, root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in walked.pictures]


def left_out(walked: Walk, root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): reason for path, reason in walked.left_out}


def test_pictures_are_found_at_any_depth_in_byte_order(tmp_path: Path) -> None:
    make(tmp_path, "b/1.png", "Z.PNG", "a.png", "b.png", "b/c/d.webp", os.fsdecode(b"\xff.png"), "é.png")
    assert pictures(walk(tmp_path), tmp_path) == [
        "Z.PNG",
        "a.png",
        "b/1.png",
        "b/c/d.webp",
        "b.png",
        "é.png",
        os.fsdecode(b"\xff.png"),
    ]


@pytest.mark.parametrize("suffix", ["jpg", "JPEG", "jpe", "jfif", "jif", "Jfi", "pjpeg", "pjp", "mpo"])
def test_every_jpeg_suffix_is_a_picture(tmp_path: Path, suffix: str) -> None:
    make(tmp_path, f"a.{suffix}")
    assert len(walk(tmp_path).pictures) == 1


@pytest.mark.parametrize(
    "name",
    [
        ".ipynb_checkpoints",
        ".thumbnails",
        ".Trash-1000",
        "__MACOSX",
        "@eaDir",
        "$RECYCLE.BIN",
        "lost+found",
        "System Volume Information",
        "#recycle",
    ],
)
def test_hidden_or_system_folder_is_one_entry_left_out(tmp_path: Path, name: str) -> None:
    make(tmp_path, "a.png", f"{name}/deep/a.png", f"b/{name}/a.png")
    walked = walk(tmp_path)
    assert pictures(walked, tmp_path) == ["a.png"]
    assert left_out(walked, tmp_path) == {name: HIDDEN, f"b/{name}": HIDDEN}


def test_hidden_system_and_other_files_are_listed(tmp_path: Path) -> None:
    make(tmp_path, "a.png", ".DS_Store", "._a.png", "Thumbs.db", "desktop.ini", "b.ppm", "c.jp2", "notes")
    os.mkfifo(tmp_path / "pipe.png")
    assert left_out(walk(tmp_path), tmp_path) == {
        ".DS_Store": HIDDEN,
        "._a.png": HIDDEN,
        "Thumbs.db": HIDDEN,
        "desktop.ini": HIDDEN,
        "b.ppm": FOREIGN,
        "c.jp2": FOREIGN,
        "notes": FOREIGN,
        "pipe.png": SPECIAL,
    }


def test_links_are_followed_and_dangling_links_listed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    make(root, "a.png")
    make(tmp_path, "elsewhere/b.png", "elsewhere/deep/c.png")
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    (root / "file.png").symlink_to(tmp_path / "elsewhere/b.png")
    (root / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (root / "itself.png").symlink_to("itself.png")
    walked = walk(root)
    assert pictures(walked, root) == ["a.png", "file.png", "linked/b.png", "linked/deep/c.png"]
    assert left_out(walked, root) == {"gone.png": DANGLING, "itself.png": DANGLING}


def test_each_folder_is_read_once_despite_loops(tmp_path: Path) -> None:
    root = tmp_path / "root"
    make(root, "z/a.png")
    make(tmp_path, "other/b.png")
    (root / "again").symlink_to("z")  # sorts before the folder itself, which counts first
    (root / "one").symlink_to(tmp_path / "other")
    (root / "two").symlink_to(tmp_path / "other")
    (root / "z/loop").symlink_to(root)
    (tmp_path / "other/up").symlink_to(tmp_path)  # holds the root
    walked = walk(root)
    assert pictures(walked, root) == ["one/b.png", "z/a.png"]
    assert left_out(walked, root) == {
        "again": REPEATED,
        "two": REPEATED,
        "z/loop": REPEATED,
        "one/up": REPEATED,
    }


def test_root_that_is_a_link_is_read(tmp_path: Path) -> None:
    make(tmp_path, "real/a.png")
    (tmp_path / "link").symlink_to("real")
    assert walk(tmp_path / "link") == Walk([tmp_path / "link/a.png"], [])


def test_summary_counts_by_reason_and_names_the_first_files(tmp_path: Path) -> None:
    names = [f"{number}.ppm" for number in range(1200)]
    entries = [LeftOut(tmp_path / "trainA" / name, FOREIGN) for name in names]
    entries.append(LeftOut(tmp_path / os.fsdecode(b"trainB/\xe9.png"), DANGLING))
    assert summary(entries, tmp_path) == (
        "Left out 1,201 entries: not a picture by its suffix (trainA/0.ppm, trainA/1.ppm, trainA/2.ppm and "
        r"1,197 more); a link without a target (trainB/\xe9.png)."
    )
    assert summary(entries[:1], tmp_path).startswith("Left out 1 entry: ")
