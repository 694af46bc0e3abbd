"""Read a TensorFlow checkpoint without TensorFlow: an index of names, and data files with the values."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Final

from models.files.text import quoted
from training.importers.crc32c import masked_crc32c
from training.importers.errors import OfficialCheckpointError
from training.importers.tensorflow_entry import (
    FLOAT32,
    Entry,
    EntryError,
    parse_entry,
    parse_header,
    shape_text,
)
from training.importers.tensorflow_files import CheckpointFiles, Values
from training.importers.tensorflow_index import MOST_BYTES, TableError, read_table

_CHUNK_VALUES: Final = 1 << 20
_AGAIN: Final = "copy or download it again"


class TensorFlowCheckpoint:
    """The tensors of a checkpoint by name. Only those that are asked for are read."""

    def __init__(self, files: CheckpointFiles, prefix: str) -> None:
        """
        Args:
            files: the folder with `PREFIX.index` and `PREFIX.data-00000-of-00001` or more.
            prefix: of the files' names, such as `UGATIT.model-1000001`.

        Raises:
            OfficialCheckpointError: the index is damaged, a data file is missing, or shorter than the index
                says.
        """
        self._files = files
        self.index = f"{prefix}.index"
        data = files.read(self.index, MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise self._damaged(f"expected at most {MOST_BYTES} bytes, found more")
        self.index_sha256 = hashlib.sha256(data).hexdigest()
        try:
            table = read_table(data)
        except TableError as error:
            raise self._damaged(str(error)) from None
        shards = self._number_of_shards(table)
        self.entries = dict(self._parse(table))
        self._shards = list(self._data_files(prefix, shards))
        self._check_lengths()

    def tensors(self, shapes: Mapping[str, tuple[int, ...]]) -> Iterator[tuple[str, Values]]:
        """Yield float32 tensors by name, in the order in which they are stored, after checking each checksum.

        Args:
            shapes: the shape of each tensor to read. `require` has checked them.

        Raises:
            OfficialCheckpointError: a checksum differs; the message names the tensor.
        """
        order = sorted(shapes, key=lambda name: (self.entries[name].shard, self.entries[name].offset))
        for name in order:
            entry = self.entries[name]
            shard = self._shards[entry.shard]
            values = self._files.values(shard, entry.offset, entry.size // 4)
            chunks = range(0, len(values), _CHUNK_VALUES)
            if (
                masked_crc32c(values[start : start + _CHUNK_VALUES].tobytes() for start in chunks)
                != entry.crc
            ):
                raise OfficialCheckpointError(
                    f"{self._files.path(shard)} is damaged in {quoted(name)}: expected the checksum "
                    f"{entry.crc:08x}, found another; {_AGAIN}."
                )
            yield name, values.reshape(entry.shape)

    def require(self, shapes: Mapping[str, tuple[int, ...]], *, of: str = "U-GAT-IT") -> None:
        """Check that tensors are there, with these shapes, as float32 values.

        Args:
            shapes: by name.
            of: the method whose networks have these tensors, for messages.

        Raises:
            OfficialCheckpointError: one is not; the message names the first.
        """
        for name, shape in shapes.items():
            entry = self.entries.get(name)
            if entry is None:
                found = "found none of that name"
            elif entry.partitioned:
                found = "found it in parts, which are not read"
            elif entry.dtype != FLOAT32:
                found = f"found {entry.type_name}"
            elif entry.shape != shape:
                found = f"found the shape {shape_text(entry.shape)}"
            else:
                continue
            raise OfficialCheckpointError(
                f"{self._files.path(self.index)} is not of an official {of} network: expected "
                f"{quoted(name)} of float32 values of the shape {shape_text(shape)}, {found}."
            )

    def _number_of_shards(self, table: Mapping[bytes, bytes]) -> int:
        if b"" not in table:
            raise self._damaged("expected a header before the names, found none")
        try:
            return parse_header(table[b""])
        except EntryError as error:
            raise self._damaged(f"in its header {error}") from None

    def _parse(self, table: Mapping[bytes, bytes]) -> Iterator[tuple[str, Entry]]:
        for key, message in table.items():
            if key:
                name = key.decode("utf-8", "backslashreplace")
                try:
                    yield name, parse_entry(message)
                except EntryError as error:
                    raise self._damaged(f"in {quoted(name)} {error}") from None

    def _data_files(self, prefix: str, count: int) -> Iterator[str]:
        """Yield the name of each data file, up to the first that is missing."""
        for number in range(count):
            name = f"{prefix}.data-{number:05d}-of-{count:05d}"
            if name not in self._files.names:
                others = sorted(each for each in self._files.names if each.startswith(f"{prefix}.data-"))
                raise OfficialCheckpointError(
                    f"{self._files.path(name)} is missing: the index needs {count} data files, found "
                    f"{', '.join(others[:3]) or 'none'}; copy or download all of them."
                )
            yield name

    def _check_lengths(self) -> None:
        """Check that every tensor ends inside its data file, also those that are never read."""
        sizes = [self._files.size(shard) for shard in self._shards]
        for name, entry in self.entries.items():
            if entry.shard >= len(sizes):
                raise self._damaged(
                    f"expected {quoted(name)} in one of {len(sizes)} data files, found {entry.shard}"
                )
            if entry.offset + entry.size > sizes[entry.shard]:
                raise OfficialCheckpointError(
                    f"{self._files.path(self._shards[entry.shard])} is cut off: expected {quoted(name)} up "
                    f"to byte {entry.offset + entry.size}, found {sizes[entry.shard]} bytes; {_AGAIN}."
                )

    def _damaged(self, what: str) -> OfficialCheckpointError:
        return OfficialCheckpointError(
            f"{self._files.path(self.index)} is damaged, or no TensorFlow index: {what}; {_AGAIN}."
        )
