"""Say which method's TensorFlow checkpoint a path means."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from models.files.text import as_text
from training.importers.errors import OfficialCheckpointError
from training.importers.tensorflow_checkpoint import TensorFlowCheckpoint
from training.importers.tensorflow_location import is_tensorflow, locate

_SIGNS: Final = {
    "Model/g_": ("aggan", "AGGAN"),
    "generator_": ("ugatit", "U-GAT-IT"),
}
"""The method and its name for people, by the start of its variables' names."""


def tensorflow_advice(names: Iterable[str], *, but: str | None = None) -> str | None:
    """Return which method's checkpoint has variables of these names, and how to import it.

    None for unknown names, and for those of the method `but`, whose reader asks.
    """
    found = {sign for name in names for start, sign in _SIGNS.items() if name.startswith(start)}
    for method, title in sorted(found):
        if method != but:
            return f"it looks like a checkpoint of {title}, which --method {method} imports"
    return None


def refuse_tensorflow(path: Path, expected: str) -> None:
    """Check that a path is no TensorFlow checkpoint, for a method whose official code is in PyTorch.

    Raises:
        OfficialCheckpointError: it is one; the message says of which method, if that is known.
    """
    if not path.exists() or not is_tensorflow(path):
        return
    try:
        found = locate(path)
        advice = tensorflow_advice(TensorFlowCheckpoint(found.files, found.prefix).entries)
    except OfficialCheckpointError:
        advice = None
    raise OfficialCheckpointError(
        f"{as_text(path)} is not {expected}: found a TensorFlow checkpoint; {advice or 'give another file'}."
    )
