"""A pool of earlier translations, from which a discriminator learns (Shrivastava et al., CVPR 2017)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

Entry = tuple[Tensor, ...]
"""A picture and its companions, such as its mask, each without the batch's dimension."""
Choose = Callable[[int], int | None]
"""Returns the slot of a full pool whose entry is returned and replaced; None returns the new entry."""


def choose_slot(size: int) -> int | None:
    """Return a random slot in half of the calls, and None in the other half.

    The draws come from torch's global generator on the CPU, whose state every checkpoint holds.
    """
    if float(torch.rand(())) <= 0.5:
        return None
    return int(torch.randint(size, ()))


def pool_bytes(entries: int, *, size: int, channels: int = 3) -> int:
    """Return the bytes of so many entries of float32 pictures, whose companions are further channels."""
    return entries * channels * size * size * 4


class ImagePool:
    """The translations of earlier steps, at most `size`; with size 0 entries pass through.

    While the pool is not full, each new entry is stored and returned. Then half of the calls return a stored
    entry and store the new one in its place, and the other half return the new one.
    """

    def __init__(self, size: int, *, choose: Choose = choose_slot) -> None:
        self._size, self._choose = size, choose
        self._entries: list[Entry] = []
        self._replaced: list[tuple[int, Entry | None]] = []

    def begin(self) -> None:
        """Begin a step: `undo` then restores the entries of this moment."""
        self._replaced = []

    def query(self, *parts: Tensor) -> Entry:
        """Return entries for a batch, `[N, ...]` each: a picture and its companions come from one entry.

        The entries have no gradients.
        """
        entries = [self._exchange(entry) for entry in zip(*(part.detach() for part in parts), strict=True)]
        device = parts[0].device
        return tuple(torch.stack([part.to(device) for part in same]) for same in zip(*entries, strict=True))

    def undo(self) -> None:
        """Restore the entries of the step's begin: translations that are not finite must not stay."""
        for slot, entry in reversed(self._replaced):
            if entry is None:
                self._entries.pop()
            else:
                self._entries[slot] = entry
        self._replaced = []

    def state(self) -> dict[str, Tensor]:
        """Return all entries: part k of every entry as one tensor `[n, ...]` named `k`; empty without one."""
        parts = zip(*self._entries, strict=True)
        return {str(number): torch.stack(part) for number, part in enumerate(parts)}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `state` returned."""
        parts = [state[name] for name in sorted(state, key=int)]
        self._entries = [entry[: len(parts)] for entry in zip(*parts, strict=True)]
        self._replaced = []

    def _exchange(self, entry: Entry) -> Entry:
        if self._size == 0:
            return entry
        kept = tuple(part.clone() for part in entry)  # a view would keep the whole batch in memory
        if len(self._entries) < self._size:
            self._replaced.append((len(self._entries), None))
            self._entries.append(kept)
            return entry
        slot = self._choose(self._size)
        if slot is None:
            return entry
        before = self._entries[slot]
        self._replaced.append((slot, before))
        self._entries[slot] = kept
        return before
