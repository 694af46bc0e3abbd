"""Save and restore the global random number generators of a process."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch

from training.checkpoint.content import Packed


def random_state() -> Packed:
    """Return the states of the random number generators of torch, numpy and Python.

    Of torch these are the CPU's and each CUDA device's in use, of numpy the global one. Save every
    `numpy.random.Generator` and `torch.Generator` separately.
    """
    version, words, gauss_next = random.getstate()
    numpy: dict[str, Any] = np.random.get_state(legacy=False)
    tensors = {
        "torch": torch.get_rng_state(),
        "python": torch.tensor(words, dtype=torch.int64),
        "numpy": torch.from_numpy(numpy["state"]["key"].astype(np.int64)),
    }
    if torch.cuda.is_available() and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        tensors |= {f"cuda.{index}": state for index, state in enumerate(torch.cuda.get_rng_state_all())}
    return Packed(
        tensors,
        {
            "python": {"version": version, "gauss_next": gauss_next},
            "numpy": {
                "bit_generator": numpy["bit_generator"],
                "pos": int(numpy["state"]["pos"]),
                "has_gauss": int(numpy["has_gauss"]),
                "gauss": float(numpy["gauss"]),
            },
        },
    )


def restore_random_state(packed: Packed) -> None:
    """Restore every generator; the state of a CUDA device that is not available is ignored."""
    python: dict[str, Any] = packed.scalars["python"]  # type: ignore[assignment]
    numpy: dict[str, Any] = dict(packed.scalars["numpy"])  # type: ignore[arg-type]
    torch.set_rng_state(packed.tensors["torch"])
    words = tuple(packed.tensors["python"].tolist())
    random.setstate((python["version"], words, python["gauss_next"]))
    key = packed.tensors["numpy"].numpy().astype(np.uint32)
    np.random.set_state({**numpy, "state": {"key": key, "pos": numpy.pop("pos")}})
    for index in range(torch.cuda.device_count()):
        if f"cuda.{index}" in packed.tensors:
            torch.cuda.set_rng_state(packed.tensors[f"cuda.{index}"], index)
