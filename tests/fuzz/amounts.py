"""How many inputs the tests try: few on every push, many before a release (`make fuzz`)."""

from __future__ import annotations

import os


def amount(name: str, on_push: int) -> int:
    """Return `UGATIT_TESTS_{name}` of the environment, or the amount for a push."""
    return int(os.environ.get(f"UGATIT_TESTS_{name}", on_push))
