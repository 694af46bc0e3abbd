"""Encode a group of tensors as the bytes of a safetensors file, and decode it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from training.checkpoint.errors import CheckpointError

_NAMES: Final = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
_ALIGNMENT_BYTES: Final = 8


def encode(tensors: Mapping[str, Tensor]) -> Iterator[bytes | memoryview]:
    """Yield the file's bytes, one tensor at a time; they depend only on names, shapes and values.

    The library's writer needs the whole group in memory a second time, or the file's name. This one copies a
    model's optimizer from the device tensor by tensor, and the caller can hash every byte it writes.
    """
    # Widest values first, as in the library, so that every tensor is aligned.
    names = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    yield _header({name: tensors[name] for name in names})
    for name in names:
        flat = tensors[name].detach().contiguous().cpu().reshape(-1)
        yield flat.view(torch.uint8).numpy().data


def _header(tensors: Mapping[str, Tensor]) -> bytes:
    fields, start = {}, 0
    for name, tensor in tensors.items():
        assert tensor.dtype in _NAMES, f"{name} is {tensor.dtype}, which checkpoints do not support"
        end = start + tensor.numel() * tensor.element_size()
        fields[name] = {
            "dtype": _NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
        start = end
    text = json.dumps(fields, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT_BYTES)
    return len(text).to_bytes(8, "little") + text


def decode(data: bytes) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file's bytes, on the CPU.

    Raises:
        CheckpointError: the bytes are something else, such as a pickle.
    """
    try:
        return load(data)
    except SafetensorError as error:
        raise CheckpointError(f"it is not a safetensors file: {error}") from None
