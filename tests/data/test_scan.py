"""Test the scan of a data set."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from tests.data.making import make_folder
from training.data.errors import DataError
from training.data.scan import remarks, scan


def test_pictures_are_sorted_by_name(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    for name in ("b/1.png", "Z.PNG", "a.png", "b.png"):
        (folder / "testA" / name).parent.mkdir(exist_ok=True)
        shutil.copy(folder / "trainA/000.png", folder / "testA" / name)
    names = [path.relative_to(folder / "testA").as_posix() for path in scan(folder).test["A"]]
    assert names == ["000.png", "001.png", "Z.PNG", "a.png", "b/1.png", "b.png"]


def test_files_that_are_not_pictures_are_left_out_and_named(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    for name in ("notes.txt", ".DS_Store", "._000.png", "Thumbs.db"):
        (folder / "trainA" / name).write_bytes(b"no picture")
    result = scan(folder)
    assert len(result.train["A"]) == 5
    assert result.unreadable == ()
    assert remarks(result) == [
        "Left out 4 entries: hidden or a system file (trainA/.DS_Store, trainA/._000.png, trainA/Thumbs.db); "
        "not a picture by its suffix (trainA/notes.txt). `ugatit-train data check` lists them."
    ]


def test_folder_without_pictures_names_the_suffixes_found(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    for path in (folder / "testB").iterdir():
        path.rename(path.with_suffix(".ppm"))
    with pytest.raises(DataError, match=r"testB holds no pictures; .* by its suffix \(testB/000"):
        scan(folder)


def test_unreadable_pictures_are_left_out_and_listed_with_the_reason(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, {"trainA": 12, "trainB": 40, "testA": 2, "testB": 2})
    cut = (folder / "trainA/003.png").read_bytes()[:80]
    (folder / "trainA/003.png").write_bytes(cut)
    (folder / "trainB/100.bmp").write_bytes(b"BM")
    (folder / "trainB/101.jpg").write_bytes(b"")
    result = scan(folder)
    assert remarks(result) == [
        "Left out 3 of 58 pictures, which cannot be read; unreadable.txt in the run's folder says why. "
        f"The first is {result.unreadable[0]}"
    ]
    assert [len(result.train[domain]) for domain in ("A", "B")] == [11, 40]
    assert folder / "trainA/003.png" not in result.train["A"]
    assert [str(file) for file in result.unreadable] == [
        "trainA/003.png: This PNG picture is damaged or incomplete and cannot be decoded; "
        "save or export it again.",
        "trainB/100.bmp: This is not a JPEG, PNG, APNG, WebP or GIF picture; save or export it as one of "
        "these.",
        "trainB/101.jpg: The file is empty (0 bytes); save, copy or download the picture again.",
    ]


def test_more_unreadable_pictures_than_the_configured_share_are_refused(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, {"trainA": 8, "trainB": 2, "testA": 2, "testB": 2})
    for name in ("8.jpg", "9.jpg"):
        (folder / "trainA" / name).write_bytes(b"no picture")
    assert len(scan(folder, max_unreadable_share=0.2).train["A"]) == 8
    with pytest.raises(DataError, match=r"2 of the 10 pictures in .*trainA cannot be read") as refusal:
        scan(folder, max_unreadable_share=0.19)
    assert [file.name for file in refusal.value.unreadable] == ["trainA/8.jpg", "trainA/9.jpg"]


def test_folder_without_a_readable_picture_is_always_refused(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    for path in (folder / "testB").iterdir():
        path.write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"3 of the 3 pictures in .*testB cannot be read"):
        scan(folder, max_unreadable_share=1.0)


@pytest.mark.parametrize("name", ["trainA", "trainB", "testA", "testB"])
def test_empty_folder_is_refused_by_name(tmp_path: Path, name: str) -> None:
    folder = make_folder(tmp_path)
    for path in (folder / name).iterdir():
        path.unlink()
    with pytest.raises(DataError, match=f"{name} holds no pictures; put JPEG, PNG or WebP files into it"):
        scan(folder)


def test_missing_folder_is_refused_by_name(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    shutil.rmtree(folder / "testA")
    with pytest.raises(DataError, match=r"There is no folder .*testA"):
        scan(folder)
    with pytest.raises(DataError, match="nowhere is not a folder; give the one that holds trainA"):
        scan(tmp_path / "nowhere")


def test_progress_is_reported_after_each_picture(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    scan(make_folder(tmp_path), on_progress=lambda done, total: calls.append((done, total)))
    assert calls == [(done, 17) for done in range(1, 18)]


def test_fingerprint_depends_on_the_training_pictures_alone(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "one")
    before = scan(folder).fingerprint
    moved = folder.rename(tmp_path / "two")
    (moved / "testA/000.png").unlink()
    assert scan(moved).fingerprint == before
    (moved / "trainA/000.png").rename(moved / "trainA/0.png")
    renamed = scan(moved).fingerprint
    shutil.copy(moved / "trainB/001.png", moved / "trainB/000.png")
    assert len({before, renamed, scan(moved).fingerprint}) == 3


def test_fingerprint_equals_that_of_earlier_versions(tmp_path: Path) -> None:
    """Older runs can resume, because it still hashes names as bytes, and contents, in the order of names."""
    folder = make_folder(tmp_path)
    (folder / "trainA/b").mkdir()
    shutil.copy(folder / "trainA/000.png", folder / "trainA/b/日本.png")
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.glob("trainA/**/*.png"))]
    names += [path.relative_to(folder).as_posix() for path in sorted(folder.glob("trainB/*.png"))]
    whole = b"".join(
        hashlib.sha256(part).digest()
        for name in names
        for part in (name.encode(), (folder / name).read_bytes())
    )
    assert scan(folder).fingerprint == hashlib.sha256(whole).hexdigest()


def test_system_folders_do_not_change_the_fingerprint(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    before = scan(folder).fingerprint
    for name in (".ipynb_checkpoints", "@eaDir", "__MACOSX"):
        shutil.copytree(folder / "trainB", folder / "trainA" / name)
    assert scan(folder).fingerprint == before


def test_names_that_are_not_utf_8_are_read_and_listed(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, {"trainA": 12, "trainB": 2, "testA": 2, "testB": 2})
    before = scan(folder).fingerprint
    (folder / "trainA/003.png").rename(folder / os.fsdecode(b"trainA/caf\xe9.png"))
    (folder / os.fsdecode(b"trainA/\xff.png")).write_bytes(b"no picture")
    result = scan(folder)
    assert result.fingerprint != before
    assert [file.name for file in result.unreadable] == [r"trainA/\xff.png"]
