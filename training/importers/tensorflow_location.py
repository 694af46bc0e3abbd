"""Find the TensorFlow checkpoint that a path means: a folder, a prefix, one of its files, or an archive."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple, TypeVar

from models.files.text import as_text, quoted
from training.importers.errors import OfficialCheckpointError
from training.importers.tensorflow_files import CheckpointFiles, Folder, ZippedFolder, zipped_files
from training.importers.tensorflow_index import MAGIC

_Place = TypeVar("_Place", Path, PurePosixPath)

INDEX: Final = ".index"
GRAPH: Final = ".meta"
STATE: Final = "checkpoint"
"""The text file that names the newest checkpoint of its folder."""

_ZIP: Final = b"PK\3\4"
_PART: Final = re.compile(r"(.+)(?:\.index|\.meta|\.data-\d{5}-of-\d{5})", re.DOTALL)
_NEWEST: Final = re.compile(rb'^\s*model_checkpoint_path\s*:\s*"([^"\n]*)"', re.MULTILINE)
_STEP: Final = re.compile(r"-(\d{1,18})$")
_STATE_BYTES: Final = 1 << 20
_DEPTH: Final = 3
"""Levels of folders below a given one in which its checkpoint is looked for."""


class Location(NamedTuple):
    """One checkpoint."""

    files: CheckpointFiles
    prefix: str
    """Of its files' names, such as `UGATIT.model-1000001`."""

    @property
    def step(self) -> int | None:
        """The step in its name."""
        return step_of(self.prefix)


def is_tensorflow(path: Path) -> bool:
    """Return whether a path means a TensorFlow checkpoint, or what is left of one, by its content.

    A folder does if it has a checkpoint's files in it or below. A prefix need not be a file.
    """
    if path.is_dir():
        return any(_is_part(each.name) for each in path.iterdir() if each.is_file()) or bool(
            _folders_below(path)
        )
    if not path.is_file():
        return path.parent.is_dir() and bool(_parts(path.name, (each.name for each in path.parent.iterdir())))
    return _is_file_of_a_checkpoint(path) or _is_zipped(path)


def locate(path: Path, step: int | None = None) -> Location:
    """Return the checkpoint that a path means.

    Args:
        path: for which `is_tensorflow` is true.
        step: the step of the checkpoint in a folder; None for the newest.

    Raises:
        OfficialCheckpointError: none is there, or more than one could be meant.
    """
    if path.is_dir():
        return _choose(_folder(path), path, step)
    if path.is_file() and _is_zipped(path):
        return _choose(_zipped_folder(path), path, step)
    files = Folder(path.parent)
    if path.name == STATE:
        return _choose(files, path.parent, step)
    part = _PART.fullmatch(path.name)
    prefix = part[1] if part is not None and path.is_file() else path.name
    if f"{prefix}{INDEX}" not in files.names:
        raise _without_index(path, _parts(prefix, files.names))
    if step not in (None, step_of(prefix)):
        raise OfficialCheckpointError(
            f"{as_text(path)} is not of step {step}: its name says {step_of(prefix)}; give its folder."
        )
    return Location(files, prefix)


def step_of(prefix: str) -> int | None:
    """Return the step in a checkpoint's name."""
    found = _STEP.search(prefix)
    return int(found[1]) if found else None


def _is_part(name: str) -> bool:
    return _PART.fullmatch(name) is not None or name in (STATE, "saved_model.pb")


def _is_file_of_a_checkpoint(path: Path) -> bool:
    with path.open("rb") as file:
        if path.name == STATE:
            return _NEWEST.search(file.read(_STATE_BYTES)) is not None
        size = file.seek(0, 2)
        file.seek(max(0, size - len(MAGIC)))
        return file.read() == MAGIC or _PART.fullmatch(path.name) is not None


def _is_zipped(path: Path) -> bool:
    with path.open("rb") as file:
        if file.read(len(_ZIP)) != _ZIP:
            return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = [place.name for place, _ in zipped_files(archive)]
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError):
        return False
    return "data.pkl" not in names and any(_PART.fullmatch(name) for name in names)


def _folder(path: Path) -> Folder:
    files = Folder(path)
    if any(name.endswith(INDEX) for name in files.names):
        return files
    if "saved_model.pb" in files.names:
        raise OfficialCheckpointError(
            f"{as_text(path)} is a SavedModel: expected a checkpoint of the official code, such as "
            "UGATIT.model-1000001.index and its data files; give that folder."
        )
    return Folder(_only(path, _folders_below(path)) or path)


def _folders_below(path: Path) -> list[Path]:
    """Return the folders below, at most three levels deep, that hold an index."""
    patterns = ["/".join(["*"] * depth) + f"/*{INDEX}" for depth in range(1, _DEPTH + 1)]
    return sorted({each.parent for pattern in patterns for each in path.glob(pattern)})


def _zipped_folder(path: Path) -> ZippedFolder:
    archive = zipfile.ZipFile(path)
    indexes = {place.parent for place, _ in zipped_files(archive) if place.name.endswith(INDEX)}
    return ZippedFolder(path, archive, _only(path, sorted(indexes)) or PurePosixPath())


def _only(path: Path, folders: list[_Place]) -> _Place | None:
    """Return the only folder with a checkpoint, or None if there is none."""
    if len(folders) > 1:
        found = ", ".join(quoted(as_text(str(folder))) for folder in folders[:4])
        raise OfficialCheckpointError(
            f"{as_text(path)} has more than one folder with checkpoints: expected one, found {found}; "
            "give one of these folders (unpack an archive first)."
        )
    return folders[0] if folders else None


def _choose(files: CheckpointFiles, path: Path, step: int | None) -> Location:
    """Return the checkpoint of a step; without one, the newest: as `checkpoint` says, else by its step."""
    # A checkpoint whose index is missing counts too: an older one in its place would be a silent mistake.
    parts = [part for name in files.names if (part := _PART.fullmatch(name)) and not name.endswith(GRAPH)]
    prefixes = sorted({part[1] for part in parts})
    if not prefixes:
        raise _without_index(path, [name for name in sorted(files.names) if _is_part(name)])
    if step is not None:
        prefixes = _of_step(prefixes, step, path)
    elif (named := _named_newest(files)) in prefixes:
        prefixes = [named]
    steps = [-1 if (found := step_of(prefix)) is None else found for prefix in prefixes]
    chosen = [prefix for prefix, each in zip(prefixes, steps, strict=True) if each == max(steps)]
    if len(chosen) > 1:
        raise OfficialCheckpointError(
            f"{as_text(path)} has more than one checkpoint that could be meant: {', '.join(chosen[:4])}; "
            "give the path of one with its name, without a suffix."
        )
    if f"{chosen[0]}{INDEX}" not in files.names:
        raise _without_index(path, _parts(chosen[0], files.names))
    return Location(files, chosen[0])


def _of_step(prefixes: list[str], step: int, path: Path) -> list[str]:
    if chosen := [prefix for prefix in prefixes if step_of(prefix) == step]:
        return chosen
    steps = sorted({number for prefix in prefixes if (number := step_of(prefix)) is not None})
    found = ", ".join(map(str, steps)) or "none"
    raise OfficialCheckpointError(
        f"{as_text(path)} has no checkpoint of step {step}, found the steps {found}; choose one of them."
    )


def _named_newest(files: CheckpointFiles) -> str:
    """Return the checkpoint that the file `checkpoint` names; its folder may be that of another machine."""
    if STATE not in files.names:
        return ""
    found = _NEWEST.search(files.read(STATE, _STATE_BYTES))
    return re.split(r"[/\\]+", found[1].decode("utf-8", "surrogateescape"))[-1] if found else ""


def _parts(prefix: str, names: Iterable[str]) -> list[str]:
    """Return the names of a checkpoint's files."""
    return sorted(name for name in names if (part := _PART.fullmatch(name)) is not None and part[1] == prefix)


def _without_index(path: Path, found: list[str]) -> OfficialCheckpointError:
    graph_only = bool(found) and all(name.endswith((GRAPH, STATE)) for name in found)
    what = f"{', '.join(found[:3]) or 'none of them'}{', which holds no weights' if graph_only else ''}"
    return OfficialCheckpointError(
        f"{as_text(path)} is not a whole TensorFlow checkpoint: expected an .index file and its .data files, "
        f"found {what}; copy or download all files of the checkpoint."
    )
