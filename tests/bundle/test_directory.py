"""A bundle is written whole or not at all, and read only when it is what was written."""

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


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    bundle = read_bundle(making.write(tmp_path / "cat2dog"))
    assert bundle.files == making.files()
    assert bundle.card == "# tiny\n"
    assert bundle.manifest.direction == "cat2dog"
    assert len(bundle.version) == 12


def test_the_version_changes_with_the_manifest(tmp_path: Path) -> None:
    first = read_bundle(making.write(tmp_path / "a"))
    second = read_bundle(making.write(tmp_path / "b", **{CARD: b"# other\n"}))
    assert first.version != second.version


def test_a_new_bundle_replaces_the_old_one_and_leaves_nothing_else(tmp_path: Path) -> None:
    making.write(tmp_path / "cat2dog")
    making.write(tmp_path / "cat2dog", **{CARD: b"# new\n"})
    assert read_bundle(tmp_path / "cat2dog").card == "# new\n"
    assert [path.name for path in tmp_path.iterdir()] == ["cat2dog"]


@pytest.mark.parametrize("failing", ["write_file", "sync_directory"])
def test_a_full_disk_leaves_the_old_bundle_and_no_debris(
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
def test_a_swap_that_fails_midway_leaves_the_old_bundle_and_no_debris(
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


def test_a_data_set_of_the_direction_s_name_is_not_replaced(tmp_path: Path) -> None:
    photo = tmp_path / "cat2dog" / "trainA" / "photo.jpg"
    photo.parent.mkdir(parents=True)
    photo.write_bytes(b"dear")
    with pytest.raises(BundleError, match="exists and is not a bundle"):
        making.write(tmp_path / "cat2dog")
    assert photo.read_bytes() == b"dear"


def test_a_file_of_the_direction_s_name_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "cat2dog").write_text("dear")
    with pytest.raises(BundleError, match="exists and is not a bundle"):
        making.write(tmp_path / "cat2dog")
    assert (tmp_path / "cat2dog").read_text() == "dear"


@pytest.mark.parametrize("name", [".DS_Store", "._card.md", "Thumbs.db", "desktop.ini", "Desktop.ini"])
def test_what_a_system_puts_into_a_bundle_is_ignored(tmp_path: Path, name: str) -> None:
    path = making.write(tmp_path / "cat2dog")
    (path / name).write_bytes(b"junk")
    assert name not in read_bundle(path).files


def test_a_link_that_is_named_like_a_system_s_file_is_refused(tmp_path: Path) -> None:
    path = making.write(tmp_path / "cat2dog")
    (path / ".DS_Store").symlink_to(tmp_path)
    with pytest.raises(BundleError, match="symbolic link"):
        read_bundle(path)


def test_an_empty_directory_is_filled(tmp_path: Path) -> None:
    (tmp_path / "cat2dog").mkdir()
    read_bundle(making.write(tmp_path / "cat2dog"))


def test_a_manifest_that_does_not_describe_the_files_is_a_programmer_s_mistake(tmp_path: Path) -> None:
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


def add_a_stranger(path: Path) -> None:
    (path / "weights.bin").write_bytes(b"")


def add_a_hidden_stranger(path: Path) -> None:
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


def ask_for_another_format(path: Path) -> None:
    edited(path, format=2)


def add_an_unknown_fact(path: Path) -> None:
    edited(path, surprise=1)


def name_a_path(path: Path) -> None:
    manifest = json.loads((path / MANIFEST).read_text())
    edited(path, files={**manifest["files"], "../elsewhere": manifest["files"][CARD]})


def forget_the_card(path: Path) -> None:
    manifest = json.loads((path / MANIFEST).read_text())
    edited(path, files={name: entry for name, entry in manifest["files"].items() if name != CARD})


def claim_what_is_not_finite(path: Path) -> None:
    edited(path, kid=[{"value": float("nan"), "protocol": "plain"}])


def name_other_domains(path: Path) -> None:
    edited(path, source="horse")


def add_a_name_that_breaks_lines(path: Path) -> None:
    (path / os.fsdecode(b"\xff\n")).write_bytes(b"")


def add_an_endless_fact(path: Path) -> None:
    edited(path, **{"a\n" * 10_000: 1})


def claim_a_file_beyond_all_memory(path: Path) -> None:
    manifest = json.loads((path / MANIFEST).read_text())
    with (path / GENERATOR).open("r+b") as file:
        file.truncate(1 << 42)  # a hole: it takes no room on the disk
    manifest["files"][GENERATOR]["size_bytes"] = 1 << 42
    edited(path, files=manifest["files"])


def make_the_manifest_enormous(path: Path) -> None:
    (path / MANIFEST).write_text(" " * (1 << 20) + (path / MANIFEST).read_text())


TAMPERINGS = [
    flip_a_bit,
    truncate,
    append,
    remove,
    add_a_stranger,
    add_a_hidden_stranger,
    add_a_folder,
    link_a_file,
    link_the_manifest,
    put_a_pipe,
    remove_the_manifest,
    break_the_manifest,
    ask_for_another_format,
    add_an_unknown_fact,
    name_a_path,
    forget_the_card,
    claim_what_is_not_finite,
    name_other_domains,
    add_a_name_that_breaks_lines,
    add_an_endless_fact,
    claim_a_file_beyond_all_memory,
    make_the_manifest_enormous,
]


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_every_tampering_is_refused_in_a_sentence(tmp_path: Path, tamper) -> None:  # type: ignore[no-untyped-def]
    path = making.write(tmp_path / "cat2dog")
    tamper(path)
    with pytest.raises(BundleError) as refusal:
        read_bundle(path)
    assert str(refusal.value).endswith(".")
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value).encode()) < 1000


def test_every_flipped_bit_of_every_file_is_noticed(tmp_path: Path) -> None:
    path = making.write(tmp_path / "cat2dog")
    for name in making.files():
        data = (path / name).read_bytes()
        for at in range(0, len(data), max(1, len(data) // 40)):
            (path / name).write_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
            with pytest.raises(BundleError):
                read_bundle(path)
        (path / name).write_bytes(data)
    read_bundle(path)


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot be read as a bundle: No such file"):
        read_bundle(tmp_path / "none")


@pytest.mark.parametrize(
    ("written", "found"), [(b"# tiny\n\nText.\n", b"# tiny\r\n\r\nText.\r\n"), (b"a\r\nb\r\n", b"a\nb\n")]
)
def test_a_card_with_converted_line_ends_is_refused_by_what_happened(
    tmp_path: Path, written: bytes, found: bytes
) -> None:
    path = making.write(tmp_path / "cat2dog", **{CARD: written})
    (path / CARD).write_bytes(found)
    with pytest.raises(BundleError, match=r"line ends .* core\.autocrlf.* copy the bundle again"):
        read_bundle(path)


def test_a_card_that_is_another_one_is_not_taken_for_a_converted_one(tmp_path: Path) -> None:
    path = making.write(tmp_path / "cat2dog")
    (path / CARD).write_bytes(b"# other\r\n")
    with pytest.raises(BundleError) as refused:
        read_bundle(path)
    assert "line ends" not in str(refused.value)
