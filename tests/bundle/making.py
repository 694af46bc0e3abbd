"""Make a tiny bundle that verifies, but whose model is never run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from models.bundle.canary import smooth_picture, write_canary
from models.bundle.declarations import Input, Logits
from models.bundle.directory import write_bundle
from models.bundle.manifest import CANARY, CARD, FORMAT, GENERATOR, ImageSize, Manifest, Parity, Training
from models.storage.file_entry import entry_of

# A serialized ModelProto with only ir_version = 9, which is enough to read and hash.
EMPTY_MODEL = b"\x08\x09"


def files(**changes: bytes) -> dict[str, bytes]:
    pixels = smooth_picture(8, 8, seed=0)[None]
    canary = write_canary(pixels, {"image": pixels, "cam_logit": np.ones((1, 2), np.float32)})
    return {GENERATOR: EMPTY_MODEL, CANARY: canary, CARD: b"# tiny\n", **changes}


def manifest(content: Mapping[str, bytes], **changes: Any) -> Manifest:
    facts: dict[str, Any] = {
        "format": FORMAT,
        "direction": "cat2dog",
        "source": "cat",
        "target": "dog",
        "image": ImageSize(height=8, width=8, fixed=False),
        "method": "ugatit",
        "architecture": {},
        "inputs": [Input(name="pixels", kind="picture")],
        "maps": [],
        "logits": [Logits(name="cam_logit")],
        "training": Training(code_version="0"),
        "licence": "none",
        "limits": "none",
        "parity": Parity(reference="", runtime="", vectors="", image_max_levels=0, image_equal=1),
        "files": {name: entry_of(data) for name, data in content.items()},
    }
    return Manifest(**{**facts, **changes})


def write(path: Path, **changes: bytes) -> Path:
    content = files(**changes)
    write_bundle(path, manifest(content), content)
    return path
