"""The files of a TensorFlow checkpoint: in a folder, or in a ZIP archive that is read in place."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from models.files.text import as_text
from training.importers.errors import OfficialCheckpointError

Values = NDArray[np.float32]

FLOAT32: Final = np.dtype("<f4")
_CHUNK_BYTES: Final = 1 << 20
_MOST_EXPANSION: Final = 1100
"""Bytes that one byte of deflate unpacks to at most, rounded up."""
_ENCRYPTED: Final = 1
"""The flag of an encrypted file."""

_ZIP_ERRORS: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


class CheckpointFiles(Protocol):
    """The files of one folder, by their names in it."""

    @property
    def folder(self) -> str:
        """The folder's name."""
        ...

    @property
    def names(self) -> frozenset[str]:
        """The names of all files."""
        ...

    def path(self, name: str) -> str:
        """Return the path of a file for a message."""
        ...

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        ...

    def read(self, name: str, most: int) -> bytes:
        """Return the first `most` bytes of a file."""
        ...

    def values(self, name: str, offset: int, count: int) -> Values:
        """Return `count` float32 values from byte `offset` on, `[count]`."""
        ...


class Folder:
    """The files of a folder on disk. Values are mapped into memory, never read at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.folder = path.resolve().name
        self.names = frozenset(each.name for each in path.iterdir() if each.is_file())

    def path(self, name: str) -> str:
        """Return the path of a file for a message."""
        return as_text(self._path / name)

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        return (self._path / name).stat().st_size

    def read(self, name: str, most: int) -> bytes:
        """Return the first `most` bytes of a file."""
        with (self._path / name).open("rb") as file:
            return file.read(most)

    def values(self, name: str, offset: int, count: int) -> Values:
        """Return values of a file. Each call has its own map, which ends with the values."""
        # "c" lets torch share the memory without a warning; the file never changes.
        return np.memmap(self._path / name, FLOAT32, "c", offset, (count,))


class ZippedFolder:
    """The files of one folder inside a ZIP archive. Nothing is unpacked, so no path is ever followed."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, inside: PurePosixPath) -> None:
        self._path = path
        self._archive = archive
        self._inside = inside
        self.folder = inside.name or path.stem
        self._files = {place.name: info for place, info in zipped_files(archive) if place.parent == inside}
        self.names = frozenset(self._files)
        self._open: tuple[str, IO[bytes]] | None = None

    def path(self, name: str) -> str:
        """Return the path of a file for a message."""
        return f"{as_text(self._path)}: {as_text(str(self._inside / name))}"

    def size(self, name: str) -> int:
        """Return the size of a file in bytes, after checking that the archive can contain so many."""
        info = self._files[name]
        compressed = min(info.compress_size, self._path.stat().st_size)
        if info.file_size > compressed * _MOST_EXPANSION + _CHUNK_BYTES:
            raise OfficialCheckpointError(
                f"{self.path(name)} is damaged: expected at most {_MOST_EXPANSION} times its {compressed} "
                f"compressed bytes, found {info.file_size}; download the archive again."
            )
        return info.file_size

    def read(self, name: str, most: int) -> bytes:
        """Return the first `most` bytes of a file."""
        with self._reading(name) as file:
            return self._next(name, file, most)

    def values(self, name: str, offset: int, count: int) -> Values:
        """Return values of a file. Ask for them in the order of their offsets: files are read forward."""
        file = self._forward(name, offset)
        values = np.empty(count, FLOAT32)
        target = values.data.cast("B")
        for start in range(0, len(target), _CHUNK_BYTES):
            chunk = self._next(name, file, min(_CHUNK_BYTES, len(target) - start))
            if len(chunk) < min(_CHUNK_BYTES, len(target) - start):
                raise OfficialCheckpointError(
                    f"{self.path(name)} is cut off: expected {count * FLOAT32.itemsize} bytes at {offset}, "
                    f"found {start + len(chunk)}; download the archive again."
                )
            target[start : start + len(chunk)] = chunk
        return values

    def _forward(self, name: str, offset: int) -> IO[bytes]:
        """Return a file whose next byte is that at `offset`."""
        if self._open is None or self._open[0] != name or self._open[1].tell() > offset:
            self._open = name, self._reading(name)
        file = self._open[1]
        while (missing := offset - file.tell()) > 0 and self._next(name, file, min(_CHUNK_BYTES, missing)):
            pass
        return file

    def _reading(self, name: str) -> IO[bytes]:
        info = self._files[name]
        if info.flag_bits & _ENCRYPTED:
            raise OfficialCheckpointError(
                f"{self.path(name)} is encrypted; unpack the archive and give the folder."
            )
        try:
            return self._archive.open(info)
        except _ZIP_ERRORS as error:
            raise self._damaged(name, error) from None

    def _next(self, name: str, file: IO[bytes], size: int) -> bytes:
        try:
            return file.read(size)
        except _ZIP_ERRORS as error:
            raise self._damaged(name, error) from None

    def _damaged(self, name: str, error: Exception) -> OfficialCheckpointError:
        return OfficialCheckpointError(
            f"{self.path(name)} cannot be unpacked: {error or type(error).__name__}; "
            "download the archive again, or unpack it and give the folder."
        )


def zipped_files(archive: zipfile.ZipFile) -> list[tuple[PurePosixPath, zipfile.ZipInfo]]:
    """Return the files of an archive with their paths, without what desktops add."""
    found = [(PurePosixPath(info.filename.replace("\\", "/")), info) for info in archive.infolist()]
    return [
        (path, info)
        for path, info in found
        if not info.is_dir() and "__MACOSX" not in path.parts and not path.name.startswith("._")
    ]
