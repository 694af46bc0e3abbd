"""Read PyTorch files of any method, and say which method's files they look like."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor

from models.files.text import as_text
from training.importers.errors import OfficialCheckpointError
from training.importers.pytorch_content import plain_name, state_inside
from training.importers.pytorch_file import SAVE_STATE_DICTS, ForeignFileError, StandIn, read_pytorch_file
from training.importers.tensorflow_signs import refuse_tensorflow

State = dict[str, Tensor]


class StateFile(NamedTuple):
    """The content of a file that `torch.save` wrote."""

    path: Path
    content: Mapping[Any, Any]
    sha256: str
    method: str | None
    """The method whose file it should be, which no advice names."""

    def error(self, expected: str, found: str | None = None) -> OfficialCheckpointError:
        """Return the error about a file of another kind; it names the method that the file looks like.

        Args:
            expected: what the file should be, such as `a generator of CycleGAN`.
            found: what it is instead; None lists its first entries.
        """
        entries = ", ".join(map(str, list(self.content)[:4])) or "nothing"
        more = ", …" * (len(self.content) > 4)
        return OfficialCheckpointError(
            f"{as_text(self.path)} is not {expected}: found {found or f'the entries {entries}{more}'}; "
            f"{advice(self.content, but=self.method) or 'give another file'}."
        )


def read_state_file(path: Path, expected: str, *, method: str | None = None) -> StateFile:
    """Read a file; no code in it is run.

    Args:
        path: the file.
        expected: what it should be, for messages, such as `a network of CycleGAN`.
        method: the name of the method, which no advice names.

    Raises:
        OfficialCheckpointError: it cannot be read, or its content is not a dict.
    """
    try:
        refuse_tensorflow(path, expected)
        content = read_pytorch_file(path)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise OfficialCheckpointError(f"{as_text(path)} cannot be read: {error.strerror or error}.") from None
    except ForeignFileError as error:
        raise OfficialCheckpointError(f"{as_text(path)} is not {expected}: found {error}.") from None
    content = state_inside(content)
    if isinstance(content, StandIn):
        kind = type(content).__name__
        raise OfficialCheckpointError(
            f"{as_text(path)} is not {expected}: found a pickled object of the class {kind}; "
            f"{SAVE_STATE_DICTS}."
        )
    if not isinstance(content, Mapping):
        raise OfficialCheckpointError(
            f"{as_text(path)} is not {expected}: found a {type(content).__name__}; give another file."
        )
    return StateFile(path, content, sha256, method)


def tensors_of(file: StateFile, state: Any, expected: str) -> State:
    """Return a network's state dict.

    Args:
        file: the file that holds it, for messages.
        state: the state dict, perhaps inside another entry.
        expected: what it should be.

    Raises:
        OfficialCheckpointError: it is not a dict of tensors.
    """
    state = state_inside(state)
    if not isinstance(state, Mapping):
        raise file.error(expected, f"a {type(state).__name__} instead of a state dict of tensors")
    for value in state.values():
        if not isinstance(value, Tensor) or value.is_meta or value.layout != torch.strided:
            raise file.error(expected)
    return {plain_name(name): value for name, value in state.items()}


class _Sign(NamedTuple):
    """What the files of a method look like."""

    method: str
    what: str
    matches: Callable[[frozenset[str]], bool]
    """Returns whether the names of a file's content match: its entries, or the parameters of one network."""


def _has(*starts: str) -> Callable[[frozenset[str]], bool]:
    """Return whether for each start there is a name that begins with it."""
    return lambda names: all(any(name.startswith(start) for name in names) for start in starts)


_SIGNS: Final = (
    _Sign("ugatit", "a checkpoint of U-GAT-IT", _has("genA2B")),
    _Sign("ugatit", "a checkpoint of U-GAT-IT", _has("genB2A")),
    _Sign("drit", "a checkpoint of DRIT", _has("enc_c", "enc_a", "gen")),
    _Sign("munit", "generators of MUNIT", _has("a.enc_content.", "b.enc_content.")),
    _Sign("unit", "generators of UNIT", _has("a.enc.", "b.enc.", "a.dec.")),
    _Sign("munit", "discriminators of UNIT or MUNIT", _has("a.cnns.", "b.cnns.")),
    _Sign("cyclegan", "a checkpoint of CycleGAN", _has("G_A")),
    _Sign("cyclegan", "a generator of CycleGAN", _has("model.1.", "model.10.conv_block.")),
    _Sign("cyclegan", "a discriminator of CycleGAN", _has("model.0.", "model.2.", "model.11.")),
    _Sign("cartoongan", "a generator of CartoonGAN", _has("down_convs.", "resnet_blocks.")),
    _Sign("cartoongan", "a generator of CartoonGAN", _has("conv01_1.", "in01_1.")),
)


def advice_about(path: Path) -> str | None:
    """Return which method's PyTorch file this looks like, and how to import it; None if it cannot be read."""
    try:
        content = state_inside(read_pytorch_file(path))
    except (OSError, ForeignFileError):
        return None
    return advice(content) if isinstance(content, Mapping) else None


def advice(content: Mapping[Any, Any], *, but: str | None = None) -> str | None:
    """Return which method's file this looks like, and how to import it.

    None for an unknown file, and for one of the method `but`, whose reader asks.
    """
    names = frozenset(_names(content))
    sign = next((sign for sign in _SIGNS if sign.method != but and sign.matches(names)), None)
    return sign and f"it looks like {sign.what}, which --method {sign.method} imports"


def _names(content: Mapping[Any, Any]) -> Iterable[str]:
    """Yield the names of entries and, joined with theirs, of the parameters in them."""
    for name, value in content.items():
        yield plain_name(name)
        if isinstance(value, Mapping):
            yield from (f"{name}.{plain_name(inner)}" for inner in value)
