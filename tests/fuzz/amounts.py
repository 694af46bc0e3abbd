"""How much is tried: little on every push, much before a release (`make fuzz`)."""

from __future__ import annotations

import os


def amount(name: str, on_push: int) -> int:
    """The environment's `UGATIT_TESTS_{name}`, or what a push can afford."""
    return int(os.environ.get(f"UGATIT_TESTS_{name}", on_push))
