"""Read a file that `torch.save` wrote: its tensors, and a stand-in for every other object in it."""

from __future__ import annotations

import pickletools
import tarfile
import warnings
import zipfile
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

import torch

from models.files.kinds import HEAD_BYTES, Family, kind_of

SAVE_STATE_DICTS: Final = (
    "save the state dicts of its networks instead, such as {'genA2B': genA2B.state_dict()}"
)
"""What to do about pickled models, as the end of a sentence."""

_REMEDIES: Final[Mapping[Family, str]] = {
    "empty": "copy or download it again",
    "pointer": "fetch the file itself with `git lfs pull`",
    "page": "download the file itself, not the page that offers it",
    "data": "download the checkpoint itself",
    "archive": "unpack it, and give the checkpoint in it",
    "weights": "give the file that torch.save wrote",
}
_CUT_OFF: Final = "a file that is cut off or damaged; copy or download it again"
_OLD_FORMAT: Final = (
    "a checkpoint in PyTorch's old tar format, which can run code when it is opened; if you trust it, open "
    "it with torch.load(FILE, weights_only=False) and save it again with torch.save"
)
_OLD_MEMBERS: Final = frozenset({"sys_info", "pickle", "storages"})
_ZIP: Final = b"PK\3\4"
_LEGACY_PICKLES: Final = 5
"""Pickles before the tensors in files before PyTorch 1.6: magic number, version, system, content, keys."""
_BLOCKED: Final = frozenset({"os", "posix", "nt", "sys", "subprocess", "builtins.eval", "builtins.exec"})
"""Modules and functions that run code; no checkpoint needs them."""


class ForeignFileError(ValueError):
    """A file without tensors. The message says what it is and what to do: `a web page; download …`."""


class StandIn:
    """Replaces an object that is not read. It has its class's name, holds nothing and does nothing."""

    def __new__(cls, *_args: object, **_options: object) -> Any:
        return object.__new__(cls)

    def __init__(self, *_args: object, **_options: object) -> None:
        pass

    def __setstate__(self, _state: object) -> None:
        pass


class _MappingStandIn(StandIn):
    """Replaces a mapping of a class that is not read. The unpickler fills plain mappings only."""

    def __new__(cls, *_args: object, **_options: object) -> Any:
        return OrderedDict()


def read_pytorch_file(path: Path) -> Any:
    """Return the content of a PyTorch file, with a `StandIn` for all that is not a tensor or plain data.

    No code in the file is run, and no class that it names is imported.

    Raises:
        ForeignFileError: the file is of another kind, cut off, or would run code.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        kind = kind_of(head)
        if kind is not None and kind.what == "a tar archive" and _is_old_format(path):
            raise ForeignFileError(_OLD_FORMAT)
        if kind is not None and not head.startswith(_ZIP):
            what = "an empty file" if kind.family == "empty" else kind.what
            raise ForeignFileError(f"{what}; {_REMEDIES.get(kind.family, 'give a checkpoint')}")
        file.seek(0)
        names = set(_names_in_zip(file) if head.startswith(_ZIP) else _names_in_legacy(file))
    for name in sorted(names):
        if name in _BLOCKED or name.partition(".")[0] in _BLOCKED:
            raise ForeignFileError(f"a file that would run {name} when it is opened; do not open it")
    return _load(path, {name: type(name, (StandIn,), {}) for name in names})


def _is_old_format(path: Path) -> bool:
    """Return whether a tar archive is a checkpoint of the first versions of PyTorch."""
    try:
        with tarfile.open(path) as archive:
            return {PurePosixPath(name).name for name in archive.getnames()} >= _OLD_MEMBERS
    except (tarfile.TarError, EOFError, ValueError):
        return False


def _load(path: Path, stand_ins: dict[str, type]) -> Any:
    """Load with a stand-in for each name; PyTorch still uses its own classes for names that it allows."""
    while True:
        pairs: list[Callable[..., Any] | tuple[Callable[..., Any], str]]
        pairs = [(stand_in, name) for name, stand_in in stand_ins.items()]
        try:
            with torch.serialization.safe_globals(pairs), warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore", UserWarning
                )  # about the pickle's protocol; the result says more
                return torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # damaged bytes can raise any error in the unpickler
            mapping = next((n for n, each in stand_ins.items() if _is_filled(each, error)), None)
            if mapping is None:
                raise ForeignFileError(_damage(error)) from None
            stand_ins = stand_ins | {mapping: type(mapping, (_MappingStandIn,), {})}


def _is_filled(stand_in: type, error: Exception) -> bool:
    """Return whether loading failed because a stand-in turned out to be a mapping."""
    filled = "SETITEM" in str(error) and repr(stand_in) in str(error)
    return filled and not issubclass(stand_in, _MappingStandIn)


def _damage(error: Exception) -> str:
    if isinstance(error, EOFError) or "EOF" in str(error) or "PytorchStreamReader" in str(error):
        return "a PyTorch file that is cut off or damaged; copy or download it again"
    if "persistent_load" in str(error):  # before PyTorch 1.6, models were saved beside their source text
        return f"pickled models; {SAVE_STATE_DICTS}"
    return "something other than a PyTorch file of tensors; give a file that torch.save wrote"


def _names_in_zip(file: IO[bytes]) -> Iterator[str]:
    """Yield the names of classes and functions in a file of PyTorch 1.6 and later."""
    try:
        with zipfile.ZipFile(file) as archive:
            inside = archive.namelist()
            content = next((name for name in inside if name.endswith("/data.pkl")), None)
            if content is None:
                raise ForeignFileError(_archive(inside))
            if any(name.endswith("/constants.pkl") for name in inside):
                raise ForeignFileError(f"a TorchScript model; {SAVE_STATE_DICTS}")
            if archive.testzip() is not None:  # torch.load does not compare checksums
                raise ForeignFileError(_CUT_OFF)
            with archive.open(content) as pickled:
                yield from _names(pickled)
    except (zipfile.BadZipFile, EOFError):
        raise ForeignFileError(_CUT_OFF) from None


def _archive(inside: list[str]) -> str:
    if all(name.endswith(".npy") for name in inside):
        return "an archive of NumPy arrays; give the file that torch.save wrote"
    return f"a ZIP archive; unpack it, and give the checkpoint in it ({', '.join(inside[:3])})"


def _names_in_legacy(file: IO[bytes]) -> Iterator[str]:
    for _ in range(_LEGACY_PICKLES):
        yield from _names(file)


def _names(pickled: IO[bytes]) -> Iterator[str]:
    """Yield the names in one pickle, as Python 3 spells them, up to the first bytes that are not a pickle."""
    try:
        for opcode, argument, _ in pickletools.genops(pickled):
            if opcode.name == "GLOBAL":
                module, name = str(argument).split(" ", 1)
                module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
                yield f"{module}.{name}"
    except (ValueError, IndexError, UnicodeDecodeError):
        return
