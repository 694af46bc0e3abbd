"""The generators of MUNIT (Huang et al., ECCV 2018, arXiv 1804.04732); its discriminators are UNIT's."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from torch import Tensor, nn

from models.networks.blocks.norms import Style, adaptive_instance_norm
from models.networks.config import ConfigError
from models.networks.translation import Translation
from models.networks.unit import ContentEncoder, Decoder, UnitGeneratorConfig, reflected


@dataclass(frozen=True, kw_only=True)
class MunitGeneratorConfig(UnitGeneratorConfig):
    """The shape of one domain's encoders and decoder."""

    style: int = 8
    """Numbers in a style code, whose prior is N(0, 1) each."""
    hidden: int = 256
    """Width of the hidden layers that turn a style code into the scales and shifts of the decoder."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.style < 1 or self.hidden < 1:
            raise ConfigError(f"style and hidden must be at least 1, got {self.style} and {self.hidden}.")


class Codes(NamedTuple):
    """What the encoders of a domain return for a picture."""

    content: Tensor  # [B, 4c, H/4, W/4]
    style: Tensor  # [B, S]


class StyleEncoder(nn.Module):
    """Encodes pictures `[B, 3, H, W]` in [-1, 1] as style codes `[B, S]`.

    It has no normalisation, which would remove the style: means and deviations of the features.
    """

    def __init__(self, config: MunitGeneratorConfig) -> None:
        super().__init__()
        c = config.channels
        widths = [c, 2 * c, 4 * c, 4 * c, 4 * c]
        self.down = nn.Sequential(
            reflected(3, c, kernel=7, stride=1, norm=None),  # [B, c, H, W]
            *(
                reflected(inputs, outputs, kernel=4, stride=2, norm=None)
                for inputs, outputs in pairwise(widths)
            ),  # [B, 4c, H/16, W/16]
        )
        self.to_code = nn.Conv2d(4 * c, config.style, 1)

    def forward(self, x: Tensor) -> Tensor:  # [B, 3, H, W]
        pooled = self.down(x).mean((2, 3), keepdim=True)  # [B, 4c, 1, 1]
        code: Tensor = self.to_code(pooled).flatten(1)
        return code


class AdainMLP(nn.Module):
    """Computes the scale and shift of every AdaIN of a decoder from a style code."""

    def __init__(self, config: MunitGeneratorConfig) -> None:
        super().__init__()
        self.blocks, self.channels = config.blocks, 4 * config.channels
        self.layers = nn.Sequential(
            nn.Linear(config.style, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, config.blocks * 2 * 2 * self.channels),
        )

    def forward(self, style: Tensor) -> Tensor:  # [B, S]
        """Return the numbers of all normalisations, `[B, blocks * 2 * 2 * 4c]`."""
        numbers: Tensor = self.layers(style)
        return numbers

    def styles(self, style: Tensor) -> list[list[Style]]:
        """Return scale and shift, `[B, 4c]` each, of both normalisations of every block."""
        # The shifts of a normalisation are stored before its scales.
        numbers = self(style).unflatten(1, (self.blocks, 2, 2, self.channels))
        return [
            [(numbers[:, block, norm, 1], numbers[:, block, norm, 0]) for norm in range(2)]
            for block in range(self.blocks)
        ]


class MunitGenerator(nn.Module):
    """The encoders and the decoder of one domain.

    A picture is translated by its own domain's content encoder and the other domain's decoder, whose style
    code is drawn from N(0, 1) or encoded from a reference of that domain.
    """

    def __init__(self, config: MunitGeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.content_encoder = ContentEncoder(config)
        self.style_encoder = StyleEncoder(config)
        self.mlp = AdainMLP(config)
        self.decoder = Decoder(config, norm=adaptive_instance_norm)

    def encode(self, x: Tensor) -> Codes:  # [B, 3, H, W]
        """Return the content and the style of pictures."""
        return Codes(self.content_encoder(x), self.style_encoder(x))

    def decode(self, content: Tensor, style: Tensor) -> Tensor:  # [B, 4c, H/4, W/4], [B, S]
        """Return the pictures `[B, 3, H, W]` of a content in a style of this domain."""
        image: Tensor = self.decoder(content, self.mlp.styles(style))
        return image

    def forward(self, x: Tensor) -> Tensor:  # [B, 3, H, W]
        """Return the reconstructions from the pictures' own codes."""
        return self.decode(*self.encode(x))


class MunitTranslator(nn.Module):
    """Translates pictures by the content encoder of their domain and the decoder of the other."""

    def __init__(self, encoder: ContentEncoder, mlp: AdainMLP, decoder: Decoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.mlp = mlp
        self.decoder = decoder

    def forward(self, x: Tensor, style: Tensor) -> Translation:  # [B, 3, H, W], [B, S]
        return Translation(self.decoder(self.encoder(x), self.mlp.styles(style)))
