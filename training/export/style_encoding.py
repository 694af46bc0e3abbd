"""How the style code of a reference picture is computed."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from torch import nn

from training.export.graph import Graph


class WriteEncoder(Protocol):
    """Append an encoder's operators to a graph."""

    def __call__(self, graph: Graph, x: str, network: Any) -> str:
        """Return the name of the style codes `[N, d]` of the pictures `[N, 3, H, W]` named `x`."""


class StyleEncoding(NamedTuple):
    """How the style of a reference is encoded."""

    network: nn.Module
    """Takes pictures `[B, 3, H, W]` in [-1, 1] of the target domain; returns style codes `[B, d]`."""
    write_graph: WriteEncoder
