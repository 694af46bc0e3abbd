"""Which heat maps of a picture `ugatit translate` writes, and under which names."""

from __future__ import annotations

from typing import Final, NamedTuple

from app.engine.drawing import draw_attention
from app.engine.render_options import Base, EncodedPicture, RenderOptions, View
from app.engine.translation import FoundMap
from models.bundle.declarations import Network, Part

_LABELS: Final = {word: f"-{word}" for word in ("local", "global", "average", "maximum", "classifier")}


class HeatMaps(NamedTuple):
    """Which heat maps of each picture to write: every part of every network; and how."""

    networks: tuple[Network, ...] = ("generator",)
    parts: tuple[Part, ...] = ("both",)
    view: View = "overlay"
    size: int | None = None
    """The longer side of the frame in pixels; the network's own by default."""
    legend: bool = False

    def names(self) -> dict[tuple[Network, Part], str]:
        """Return the name of each heat map's file without its picture's: overlay, overlay-local-average."""
        return {
            (network, part): f"{self.view}{_LABELS.get(network, '')}{_LABELS.get(part, '')}"
            for network in self.networks
            for part in self.parts
        }

    def draw(self, found: FoundMap, options: RenderOptions) -> EncodedPicture:
        """Return a heat map, encoded: the generator's over the source, others over the translation."""
        base: Base = "source" if found.declared.network == "generator" else "translation"
        return draw_attention(found, options, view=self.view, base=base, size=self.size, legend=self.legend)
