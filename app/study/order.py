"""The random order of pictures and of models for each participant, which stays the same on every visit."""

from __future__ import annotations

import hashlib
import hmac


class Order:
    """Random orders, computed from a secret: they need no storage, and are unpredictable without it."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def of_pictures(self, participant: str, count: int) -> list[int]:
        """Return the numbers of the pictures in the order in which a participant sees them."""
        return self._shuffled(f"pictures/{participant}", count)

    def of_models(self, participant: str, picture: int, count: int) -> list[int]:
        """Return the numbers of the models in the order in which a participant sees them for a picture."""
        return self._shuffled(f"models/{participant}/{picture}", count)

    def _shuffled(self, name: str, count: int) -> list[int]:
        return sorted(range(count), key=lambda number: self._key(f"{name}/{number}"))

    def _key(self, name: str) -> bytes:
        return hmac.digest(self._secret, name.encode(), hashlib.sha256)
