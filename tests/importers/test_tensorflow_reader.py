"""TensorFlow checkpoints are read bit for bit, and wrong ones are refused with one sentence."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.golden.tensorflow_reading import folder
from tests.importers.checkpoint_writer import Described, Tensors, crc32c, table, tensors_of, write
from training.importers.crc32c import masked_crc32c
from training.importers.errors import OfficialCheckpointError
from training.importers.tensorflow_checkpoint import TensorFlowCheckpoint
from training.importers.tensorflow_files import Folder
from training.importers.tensorflow_location import locate

STEP = "UGATIT_light.model-2001"
SMALL: Tensors = {
    "generator_A/conv/bias": np.arange(3, dtype=np.float32),
    "generator_A/conv/kernel": np.arange(12, dtype=np.float32).reshape(2, 2, 3),
    "generator_A/conv/kernel/Adam": np.ones((2, 2, 3), np.float32),
    "rate": np.array(0.5, np.float32),
}


def read(path: Path, step: int | None = None) -> Tensors:
    """Read every tensor of the checkpoint that a path means."""
    found = locate(path, step)
    checkpoint = TensorFlowCheckpoint(found.files, found.prefix)
    shapes = {name: each.shape for name, each in checkpoint.entries.items()}
    checkpoint.require(shapes)
    return {name: np.array(values) for name, values in checkpoint.tensors(shapes)}


def same(found: Tensors, expected: Tensors) -> bool:
    return found.keys() == expected.keys() and all(
        found[name].shape == value.shape and found[name].tobytes() == value.tobytes()
        for name, value in expected.items()
    )


def test_checksum_is_the_published_one_of_nine_digits() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert masked_crc32c([b"1234", b"56789"]) == ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) % 2**32


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("names_per_block", [1, 2, 100])
def test_any_number_of_blocks_and_data_files_is_read(
    tmp_path: Path, shards: int, names_per_block: int
) -> None:
    write(tmp_path, "model-5", SMALL, shards=shards, names_per_block=names_per_block)
    assert same(read(tmp_path), SMALL)


def test_names_that_share_many_first_bytes_are_read(tmp_path: Path) -> None:
    tensors = {
        f"generator_A/block_{number:03d}/kernel": np.full(2, number, np.float32) for number in range(50)
    }
    write(tmp_path, "model-5", tensors, names_per_block=20)
    assert same(read(tmp_path), tensors)


@pytest.mark.parametrize(
    "given", ["model-5", "model-5.index", "model-5.data-00000-of-00001", "checkpoint", ""]
)
def test_prefix_any_file_and_the_folder_mean_the_checkpoint(tmp_path: Path, given: str) -> None:
    write(tmp_path, "model-5", SMALL)
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "/home/ann/model-5"\n')
    assert same(read(tmp_path / given), SMALL)


def steps(tmp_path: Path, *numbers: int) -> Path:
    for number in numbers:
        write(tmp_path, f"UGATIT.model-{number}", {"step": np.array(number, np.float32)})
    return tmp_path


def test_newest_step_is_the_largest_number(tmp_path: Path) -> None:
    steps(tmp_path, 900, 1000, 99)
    assert locate(tmp_path).step == 1000
    assert locate(tmp_path, 99).step == 99


@pytest.mark.parametrize(
    "name", ["UGATIT.model-900", "/home/ann/runs/UGATIT.model-900", "C:\\\\runs\\\\UGATIT.model-900"]
)
def test_checkpoint_file_names_the_newest_by_its_last_part(tmp_path: Path, name: str) -> None:
    steps(tmp_path, 900, 1000)
    (tmp_path / "checkpoint").write_text(
        f'model_checkpoint_path: "{name}"\nall_model_checkpoint_paths: "x"\n'
    )
    assert locate(tmp_path).step == 900


@pytest.mark.parametrize("content", [b"", b"\xff\0", b'model_checkpoint_path: "../../UGATIT.model-7"'])
def test_checkpoint_file_that_names_nothing_here_is_not_followed(tmp_path: Path, content: bytes) -> None:
    steps(tmp_path / "run", 5, 6)
    steps(tmp_path, 7)
    (tmp_path / "run" / "checkpoint").write_bytes(content)
    assert locate(tmp_path / "run").step == 6


def test_step_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(OfficialCheckpointError, match="no checkpoint of step 3, found the steps 5, 10;"):
        locate(steps(tmp_path, 10, 5), 3)


def test_newest_step_without_its_index_is_refused_instead_of_reading_an_older_one(tmp_path: Path) -> None:
    steps(tmp_path, 5, 10)
    (tmp_path / "UGATIT.model-10.index").unlink()
    with pytest.raises(OfficialCheckpointError, match=r"found UGATIT.model-10\.data-00000-of-00001; copy"):
        locate(tmp_path)
    assert locate(tmp_path, 5).step == 5


def test_two_folders_with_checkpoints_are_refused(tmp_path: Path) -> None:
    steps(tmp_path / "a", 1)
    assert locate(tmp_path).step == 1
    steps(tmp_path / "b", 1)
    with pytest.raises(OfficialCheckpointError, match="more than one folder"):
        locate(tmp_path)


def zipped(source: Path, path: Path, method: int, *, inside: str = "deep/UGATIT_x/") -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for each in sorted(source.iterdir()):
            archive.write(each, f"{inside}{each.name}")
            archive.writestr(f"__MACOSX/{inside}._{each.name}", b"a desktop's")
    return path


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
@pytest.mark.parametrize("inside", ["", "deep/UGATIT_x/", "../../", "C:\\ann\\"])
def test_archive_is_read_in_place(tmp_path: Path, method: int, inside: str) -> None:
    write(tmp_path / "run", "model-5", SMALL, shards=2)
    path = zipped(tmp_path / "run", tmp_path / "run.zip", method, inside=inside)
    before = sorted(tmp_path.rglob("*"))
    assert same(read(path), SMALL)
    assert sorted(tmp_path.rglob("*")) == before


def test_damaged_archives_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "run", "model-5", {"noise": np.random.default_rng(0).random(5000, np.float32)})
    whole = zipped(tmp_path / "run", tmp_path / "run.zip", zipfile.ZIP_DEFLATED).read_bytes()
    random = np.random.default_rng(1)
    for _ in range(40):
        damaged = bytearray(whole)
        damaged[random.integers(60, 15_000)] ^= 1 << random.integers(8)
        (tmp_path / "bad.zip").write_bytes(damaged)
        with pytest.raises(OfficialCheckpointError):
            read(tmp_path / "bad.zip")


def test_archive_that_declares_more_than_it_can_hold_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "run", "model-5", SMALL)
    path = zipped(tmp_path / "run", tmp_path / "run.zip", zipfile.ZIP_STORED)
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("deep/UGATIT_x/model-5.data-00000-of-00001").file_size
    whole = path.read_bytes()
    directory = whole.index(b"PK\1\2")
    wrong = whole[directory:].replace(size.to_bytes(4, "little"), (2**31).to_bytes(4, "little"))
    path.write_bytes(whole[:directory] + wrong)
    with pytest.raises(OfficialCheckpointError, match="damaged"):
        read(path)


def rewritten(**changes: Any) -> Callable[[dict[str, Described]], None]:
    def change(described: dict[str, Described]) -> None:
        described["generator_A/conv/kernel"] = described["generator_A/conv/kernel"]._replace(**changes)

    return change


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"dtype": 2}, "expected 96 bytes for float64 values of the shape 2x2x3, found 48"),
        ({"dtype": 14}, "for bfloat16 values"),
        ({"dtype": 3}, "of float32 values of the shape 2x2x3, found int32"),
        ({"dtype": 7}, "found type 7"),
        ({"shape": (2, 3)}, "expected 24 bytes for float32 values of the shape 2x3, found 48"),
        ({"shape": (2**40,) * 4}, "expected more than 2^63 bytes"),
        ({"shape": (-1, 12)}, "expected dimensions of at least 0, found the shape -1x12"),
        (
            {"offset": 10**6},
            "is cut off: expected generator_A/conv/kernel up to byte 1000048, found 112 bytes",
        ),
        ({"offset": 2**62}, "is cut off"),
        ({"offset": -1}, "at most 63 bits"),
        ({"shard": 3}, "in one of 1 data files, found 3"),
        ({"size": 44}, "expected 48 bytes for float32 values"),
        ({"crc": 0}, "is damaged in generator_A/conv/kernel: expected the checksum 00000000, found another"),
        ({"crc": 12345}, "expected the checksum 00003039"),
        ({"partitioned": True}, "found it in parts"),
    ],
)
def test_entry_that_is_wrong_is_refused(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    write(tmp_path, "model-5", SMALL, change=rewritten(**changes))
    found = locate(tmp_path)
    shapes = {"generator_A/conv/kernel": (2, 2, 3)}

    def read_one() -> None:
        checkpoint = TensorFlowCheckpoint(found.files, found.prefix)
        checkpoint.require(shapes)
        list(checkpoint.tensors(shapes))

    with pytest.raises(OfficialCheckpointError) as caught:
        read_one()
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (b"", "in its header expected at least one data file, found 0"),
        (bytes.fromhex("080110011a020801"), "expected little-endian values"),
        (bytes.fromhex("08011a0408011063"), "expected version 1 of the format, found 99"),
        (bytes.fromhex("0802"), "needs 2 data files, found model-5.data-00000-of-00001"),
        (b"\x08" + b"\xff" * 8 + b"\x7f", "data files, found model-5"),
        (b"\x0a\x01", "in its header expected a message"),
    ],
)
def test_header_that_is_wrong_is_refused(tmp_path: Path, header: bytes, says: str) -> None:
    write(tmp_path, "model-5", SMALL, header=header)
    with pytest.raises(OfficialCheckpointError, match="model-5") as caught:
        read(tmp_path)
    assert says in str(caught.value)


def without_header(whole: bytes) -> bytes:
    return table([(b"conv", b"\x08\x01")])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda whole: whole[:-1], "expected the last bytes"),
        (lambda whole: whole[: len(whole) // 2], "expected the last bytes"),
        (lambda whole: whole + b"\0", "expected the last bytes"),
        (lambda whole: whole[:20], "expected at least 48 bytes, found 20"),
        (lambda _: b"", "expected at least 48 bytes, found 0"),
        (lambda whole: whole[:50] + bytes([whole[50] ^ 1]) + whole[51:], "expected the checksum"),
        (
            lambda _: table([(b"", b"\x08\x01"), (b"b", b""), (b"a", b""), (b"c", b"")]),
            "expected sorted names, found a after b",
        ),
        (without_header, "expected a header before the names"),
        (
            lambda _: table([(b"", b"\x08\x01")], kind=1),
            "expected an uncompressed block, found one of type 1",
        ),
        (lambda _: table([(b"", b"\x08\x01"), (b"a" * 5000, b"")]), "expected a name of at most 1024 bytes"),
    ],
)
def test_index_that_is_wrong_is_refused(tmp_path: Path, change: Callable[[bytes], bytes], says: str) -> None:
    index = write(tmp_path, "model-5", SMALL).with_name("model-5.index")
    index.write_bytes(change(index.read_bytes()))
    with pytest.raises(OfficialCheckpointError) as caught:
        read(tmp_path)
    assert says in str(caught.value)


def test_flipped_bits_of_an_index_are_noticed(tmp_path: Path) -> None:
    """One bit of every byte, and all of the last 48 bytes, which have no checksum."""
    index = write(tmp_path, "model-5", SMALL, names_per_block=2).with_name("model-5.index")
    whole = index.read_bytes()
    footer = 8 * (len(whole) - 48)
    for bit in [*range(0, footer, 9), *range(footer, 8 * len(whole))]:
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        index.write_bytes(damaged)
        with pytest.raises(OfficialCheckpointError):
            read(tmp_path)


def test_index_cut_anywhere_is_refused(tmp_path: Path) -> None:
    index = write(tmp_path, "model-5", SMALL).with_name("model-5.index")
    whole = index.read_bytes()
    for size in range(len(whole)):
        index.write_bytes(whole[:size])
        with pytest.raises(OfficialCheckpointError):
            read(tmp_path)


def test_flipped_bit_names_its_tensor(tmp_path: Path) -> None:
    shutil.copytree(folder("light-unsmoothed"), tmp_path / "run")
    data = tmp_path / "run" / f"{STEP}.data-00000-of-00001"
    whole = data.read_bytes()
    entries = TensorFlowCheckpoint(Folder(tmp_path / "run"), STEP).entries
    random = np.random.default_rng(0)
    for offset in map(int, random.integers(len(whole), size=6)):
        damaged = bytearray(whole)
        damaged[offset] ^= 1 << random.integers(8)
        data.write_bytes(damaged)
        name = next(name for name, each in entries.items() if each.offset <= offset < each.offset + each.size)
        with pytest.raises(OfficialCheckpointError, match=f"is damaged in {name}: expected the checksum"):
            read(tmp_path / "run")


def test_data_file_without_its_last_byte_is_refused_although_only_a_slot_is_cut(tmp_path: Path) -> None:
    tensors = {"a": np.ones(3, np.float32), "a/Adam": np.ones(3, np.float32)}
    data = write(tmp_path, "model-5", tensors).with_name("model-5.data-00000-of-00001")
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(
        OfficialCheckpointError, match="is cut off: expected a/Adam up to byte 24, found 23 bytes"
    ):
        TensorFlowCheckpoint(Folder(tmp_path), "model-5")


def test_missing_data_file_is_named(tmp_path: Path) -> None:
    write(tmp_path, "model-5", SMALL, shards=2)
    (tmp_path / "model-5.data-00001-of-00002").unlink()
    with pytest.raises(OfficialCheckpointError, match="data-00001-of-00002 is missing: the index needs 2"):
        read(tmp_path)


@pytest.mark.parametrize("name", ["model-5.meta", "model-5.data-00000-of-00001"])
def test_files_without_an_index_are_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x0a\x01")
    for path in (tmp_path, tmp_path / name, tmp_path / "model-5"):
        with pytest.raises(OfficialCheckpointError, match=f"found {name}"):
            read(path)


def test_saved_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01")
    write(tmp_path / "variables", "variables", SMALL)
    with pytest.raises(OfficialCheckpointError, match="is a SavedModel: expected a checkpoint"):
        read(tmp_path)


def test_reencoded_checkpoint_of_the_official_code_is_the_same(tmp_path: Path) -> None:
    tensors = tensors_of(folder("light-unsmoothed"), STEP)
    write(tmp_path, STEP, tensors, shards=4, names_per_block=7)
    assert same(read(tmp_path), tensors)
