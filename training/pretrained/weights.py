"""Files of pretrained weights, which are compared with their hash before anything reads them."""

from __future__ import annotations

import hashlib
from pathlib import Path


class PretrainedError(ValueError):
    """A pretrained network cannot be loaded. The message is one sentence with the remedy."""


def refuse_other_weights(path: Path, expected_sha256: str, *, remedy: str) -> None:
    """Check that a file holds the expected weights.

    Args:
        path: the file.
        expected_sha256: of the expected weights.
        remedy: what to do, as the end of a sentence.

    Raises:
        PretrainedError: the file cannot be read, or has another hash.
    """
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise PretrainedError(f"{path} cannot be read: {error.strerror}; {remedy}.") from None
    if found != expected_sha256:
        raise PretrainedError(
            f"Expected the weights in {path} to have the sha256 {expected_sha256}, found {found}; {remedy}."
        )
