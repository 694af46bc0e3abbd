"""A bundle is written completely or not at all, and read only if every byte is as written."""

import errno
import json
import os
from pathlib import Path

import pytest

from models.bundle.directory import read_bundle, write_bundle
from models.bundle.errors import BundleError
from models.bundle.manifest import CARD, GENERATOR, MANIFEST
from models.storage import verified_directory
from tests.bundle import making


def test_written_bundle_is_read_back(tmp_path: Path) -> None:
    bundle = read_bundle(making.write(tmp_path / "cat2dog"))
    assert bundle.files == making.files()
    assert bundle.card == "# tiny\n"
    assert bundle.manifest.direction == "cat2dog"
    assert len(bundle.version) == 12


def test_version_changes_with_the_manifest(tmp_path: Path) -> None:
    first = read_bundle(making.write(tmp_path / "a"))
    second = read_bundle(making.write(tmp_path / "b", **{CARD: b"# other\n"}))
    assert first.version != second.version


def test_new_bundle_replaces_the_old_one_and_leaves_nothing_else(tmp_path: Path) -> None:
    making.write(tmp_path / "cat2dog")
    making.write(tmp_path / "cat2dog", **{CARD: b"# new\n"})
    assert read_bundle(tmp_path / "cat2dog").card == "# new\n"
    assert [path.name for path in tmp_path.iterdir()] == ["cat2dog"]


@pytest.mark.parametrize("failing", ["write_file", "sync_directory"])
def test_full_disk_leaves_the_old_bundle_and_no_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    making.write(tmp_path / "cat2dog")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(verified_directory, failing, full)
    with pytest.raises(OSError, match="No space left"):
        making.write(tmp_path / "cat2dog", **{CARD: b"# new\n"})
    monkeypatch.undo()
    assert read_bundle(tmp_path / "cat2dog").card == "# tiny\n"
    assert [path.name for path in tmp_path.iterdir()] == ["cat2dog"]


@pytest.mark.parametrize("failing", ["sync", "rename"])
@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error"), KeyboardInterrupt()])
def test_failed_rename_leaves_the_old_bundle_and_no_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, error: BaseException
) -> None:
    making.write(tmp_path / "cat2dog")
    sync, rename = verified_directory.sync_directory, Path.rename

    def failing_sync(path: Path) -> None:
        if path == tmp_path:
            raise error
        sync(path)

    def failing_rename(path: Path, target: Path) -> Path:
        if target == tmp_path / "cat2dog" and path.parent == tmp_path:
            raise error
        return rename(path, target)

    if failing == "sync":
        monkeypatch.setattr(verified_directory, "sync_directory", failing_sync)
    else:
        monkeypatch.setattr(Path, "rename", failing_rename)
    with pytest.raises(type(error)):
        making.write(tmp_path / "cat2dog", **{CARD: b"# new\n"})
    monkeypatch.undo()
    assert read_bundle(tmp_path / "cat2dog").card == "# tiny\n"
    assert [path.name for path in tmp_path.iterdir()] == ["cat2dog"]


def test_data_set_with_the_name_of_a_direction_is_not_replaced(tmp_path: Path) -> None:
    photo = tmp_path / "cat2dog" / "trainA" / "photo.jpg"
    photo.parent.mkdir(parents=True)
    photo.write_bytes(b"photo")
    with pytest.raises(BundleError, match="exists and is not a bundle"):
        making.write(tmp_path / "cat2dog")
    assert photo.read_bytes() == b"photo"


def test_file_with_the_name_of_a_direction_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "cat2dog").write_text("notes")
    with pytest.raises(BundleError, match="exists and is not a bundle"):
        making.write(tmp_path / "cat2dog")
    assert (tmp_path / "cat2dog").read_text() == "notes"


@pytest.mark.parametrize("name", [".DS_Store", "._card.md", "Thumbs.db", "desktop.ini", "Desktop.ini"])
def test_system_files_in_a_bundle_are_ignored(tmp_path: Path, name: str) -> None:
    path = making.write(tmp_path / "cat2dog")
    (path / name).write_bytes(b"junk")
    assert name not in read_bundle(path).files


def test_link_named_like_a_system_file_is_refused(tmp_path: Path) -> None:
    path = making.write(tmp_path / "cat2dog")
    (path / ".DS_Store").symlink_to(tmp_path)
    with pytest.raises(BundleError, match="symbolic link"):
        read_bundle(path)


def test_bundle_is_written_into_an_empty_directory(tmp_path: Path) -> None:
    (tmp_path / "cat2dog").mkdir()
    read_bundle(making.write(tmp_path / "cat2dog"))


def test_manifest_that_does_not_match_the_files_fails_an_assertion(tmp_path: Path) -> None:
    content = making.files()
    with pytest.raises(AssertionError):
        write_bundle(tmp_path / "cat2dog", making.manifest(content), {**content, CARD: b"changed"})


def flip_a_bit(path: Path) -> None:
    data = bytearray((path / GENERATOR).read_bytes())
    data[-1] ^= 1
    (path / GENERATOR).write_bytes(data)


def truncate(path: Path) -> None:
    (path / GENERATOR).write_bytes((path / GENERATOR).read_bytes()[:-1])


def append(path: Path) -> None:
    with (path / GENERATOR).open("ab") as file:
        file.write(b"\0")


def remove(path: Path) -> None:
    (path / GENERATOR).unlink()


def add_an_unlisted_file(path: Path) -> None:
    (path / "weights.bin").write_bytes(b"")


def add_a_hidden_unlisted_file(path: Path) -> None:
    (path / ".hidden").write_bytes(b"")


def add_a_folder(path: Path) -> None:
    (path / "more").mkdir()


def link_a_file(path: Path) -> None:
    target = path.parent / "elsewhere"
    (path / GENERATOR).rename(target)
    (path / GENERATOR).symlink_to(target)


def link_the_manifest(path: Path) -> None:
    target = path.parent / "elsewhere.json"
    (path / MANIFEST).rename(target)
    (path / MANIFEST).symlink_to(target)


def put_a_pipe(path: Path) -> None:
    (path / GENERATOR).unlink()
    os.mkfifo(path / GENERATOR)


def remove_the_manifest(path: Path) -> None:
    (path / MANIFEST).unlink()


def break_the_manifest(path: Path) -> None:
    (path / MANIFEST).write_text("{")


def edited(path: Path, **changes: object) -> None:
    manifest = json.loads((path / MANIFEST).read_text())
    (path / MANIFEST).write_text(json.dumps({**manifest, **changes}))


def set_another_format(path: Path) -> None:
    edited(path, format=3)


def add_an_unknown_field(path: Path) -> None:
    edited(path, surprise=1)


def list_a_path(path: Path) -> None:
    manifest = json.loads((path / MANIFEST).read_text())
    edited(path, files={**manifest["files"], "../elsewhere": manifest["files"][CARD]})


def omit_the_card(path: Path) -> None:
    manifest = json.loads((path / MANIFEST).read_text())
    edited(path, files={name: entry for name, entry in manifest["files"].items() if name != CARD})


def add_a_value_that_is_not_finite(path: Path) -> None:
    edited(path, kid=[{"value": float("nan"), "protocol": "plain"}])


def name_other_domains(path: Path) -> None:
    edited(path, source="horse")


def add_a_name_that_breaks_lines(path: Path) -> None:
    (path / os.fsdecode(b"\xff\n")).write_bytes(b"")


def add_a_very_long_field(path: Path) -> None:
    edited(path, **{"a\n" * 10_000: 1})


def list_a_file_larger_than_memory(path: Path) -> None:
    manifest = json.loads((path / MANIFEST).read_text())
    with (path / GENERATOR).open("r+b") as file:
        file.truncate(1 << 42)  # a sparse file: it takes no space on the disk
    manifest["files"][GENERATOR]["size_bytes"] = 1 << 42
    edited(path, files=manifest["files"])


def make_the_manifest_too_large(path: Path) -> None:
    (path / MANIFEST).write_text(" " * (1 << 20) + (path / MANIFEST).read_text())


TAMPERINGS = [
    flip_a_bit,
    truncate,
    append,
    remove,
    add_an_unlisted_file,
    add_a_hidden_unlisted_file,
    add_a_folder,
    link_a_file,
    link_the_manifest,
    put_a_pipe,
    remove_the_manifest,
    break_the_manifest,
    set_another_format,
    add_an_unknown_field,
    list_a_path,
    omit_the_card,
    add_a_value_that_is_not_finite,
    name_other_domains,
    add_a_name_that_breaks_lines,
    add_a_very_long_field,
    list_a_file_larger_than_memory,
    make_the_manifest_too_large,
]


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_every_tampering_is_refused_with_one_sentence(tmp_path: Path, tamper) -> None:  # type: ignore[no-untyped-def]
    path = making.write(tmp_path / "cat2dog")
    tamper(path)
    with pytest.raises(BundleError) as refusal:
        read_bundle(path)
    assert str(refusal.value).endswith(".")
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value).encode()) < 1000


def test_flipped_bits_in_every_file_are_found(tmp_path: Path) -> None:
    path = making.write(tmp_path / "cat2dog")
    for name in making.files():
        data = (path / name).read_bytes()
        for at in range(0, len(data), max(1, len(data) // 40)):
            (path / name).write_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
            with pytest.raises(BundleError):
                read_bundle(path)
        (path / name).write_bytes(data)
    read_bundle(path)


def test_missing_folder_is_refused_with_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot be read as a bundle: No such file"):
        read_bundle(tmp_path / "none")


@pytest.mark.parametrize(
    ("written", "found"), [(b"# tiny\n\nText.\n", b"# tiny\r\n\r\nText.\r\n"), (b"a\r\nb\r\n", b"a\nb\n")]
)
def test_card_with_converted_line_ends_is_refused_with_the_reason(
    tmp_path: Path, written: bytes, found: bytes
) -> None:
    path = making.write(tmp_path / "cat2dog", **{CARD: written})
    (path / CARD).write_bytes(found)
    with pytest.raises(BundleError, match=r"line ends .* core\.autocrlf.* copy the bundle again"):
        read_bundle(path)


def test_changed_card_is_not_reported_as_converted_line_ends(tmp_path: Path) -> None:
    path = making.write(tmp_path / "cat2dog")
    (path / CARD).write_bytes(b"# other\r\n")
    with pytest.raises(BundleError) as refused:
        read_bundle(path)
    assert "line ends" not in str(refused.value)
