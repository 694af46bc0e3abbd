"""Networks from the state dicts of CartoonGAN: of its author's released models, and of a well-known port."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor, nn

from models.networks.blocks.strided_discriminator import StridedDiscriminator
from models.networks.cartoongan import (
    NORMALIZED,
    CartoonganDiscriminatorConfig,
    CartoonganGenerator,
    CartoonganGeneratorConfig,
    cartoongan_discriminator,
)
from training.importers.state import fill, positions, rename, sizes_of

_AUTHOR_BLOCKS: Final = 8
_CONVOLUTIONS: Final = (0, 2, 4, 7, 9, 12, 15)
"""Of the port's discriminator, by their positions; a normalisation follows directly where there is one."""


def cartoongan_generator(name: str, state: Mapping[str, Tensor]) -> CartoonganGenerator:
    """Return the generator of a state dict, whose names say whether it is the author's or the port's.

    Args:
        name: of the network, for messages.
        state: tensors by official name, `conv01_1.weight` and so on, or `down_convs.0.weight` and so on.

    Raises:
        OfficialCheckpointError: it is not a generator of either architecture.
    """
    if is_authors(state):
        return _authors_generator(name, state)
    channels, _ = sizes_of(name, state, "down_convs.0.weight")
    blocks = len(positions(state, r"resnet_blocks\.(\d+)\.conv1\."))
    config = CartoonganGeneratorConfig(
        channels=channels, blocks=max(1, blocks), reflect=False, affine_instance_norm=False
    )
    return fill(name, CartoonganGenerator(config), rename(state, _port_names(blocks)))


def is_authors(state: Mapping[str, Tensor]) -> bool:
    """Return whether the names are those of the author's released models, whose pictures are BGR."""
    return any(key.endswith("conv01_1.weight") for key in state)


def cartoongan_discriminator_of(name: str, state: Mapping[str, Tensor]) -> StridedDiscriminator:
    """Return the discriminator of a state dict with the port's names.

    Raises:
        OfficialCheckpointError: it is not a discriminator of this architecture.
    """
    channels, _ = sizes_of(name, state, "convs.0.weight")
    affine = any("convs.5." in key for key in state)
    names = [(rf"convs\.{at}\.", f"blocks.{index}.conv.") for index, at in enumerate(_CONVOLUTIONS)]
    names += [(rf"convs\.{_CONVOLUTIONS[index] + 1}\.", f"blocks.{index}.norm.") for index in NORMALIZED]
    config = CartoonganDiscriminatorConfig(channels=channels, affine_instance_norm=affine)
    return fill(name, cartoongan_discriminator(config), rename(state, names))


def _authors_generator(name: str, state: Mapping[str, Tensor]) -> CartoonganGenerator:
    channels, _ = sizes_of(name, state, "conv01_1.weight")
    config = CartoonganGeneratorConfig(channels=channels, blocks=_AUTHOR_BLOCKS)
    scales = {"scale": "weight", "shift": "bias"}
    plain = {f"{key.rpartition('.')[0]}.{_last(key, scales)}": value for key, value in state.items()}
    return fill(name, CartoonganGenerator(config), rename(plain, list(_author_names())))


def _last(key: str, names: Mapping[str, str]) -> str:
    last = key.rpartition(".")[2]
    return names.get(last, last)


def _port_names(blocks: int) -> list[tuple[str, str]]:
    return [
        *((rf"down_convs\.{at}\.", f"encoder.{index}.conv.") for index, at in enumerate((0, 3, 4, 7, 8))),
        *((rf"resnet_blocks\.{block}\.conv1\.", f"blocks.{block}.first.conv.") for block in range(blocks)),
        *((rf"resnet_blocks\.{block}\.conv2\.", f"blocks.{block}.second.conv.") for block in range(blocks)),
        *((rf"up_convs\.{4 * at}\.", f"upsampling.{at}.up.conv.") for at in range(2)),
        *((rf"up_convs\.{4 * at + 1}\.", f"upsampling.{at}.block.conv.") for at in range(2)),
        (r"up_convs\.8\.", "to_image.conv."),
    ]


def _author_names() -> list[tuple[str, str]]:
    encoder = ("conv01_1", "conv02_1", "conv02_2", "conv03_1", "conv03_2")
    names = [(f"{theirs}.", f"encoder.{index}.conv.") for index, theirs in enumerate(encoder)]
    names += [(f"in0{number}_1.", f"encoder.{2 * number - 2}.norm.") for number in (1, 2, 3)]
    for block in range(_AUTHOR_BLOCKS):
        for number, ours in ((1, "first"), (2, "second")):
            names.append((f"conv{block + 4:02}_{number}.", f"blocks.{block}.{ours}.conv."))
            names.append((f"in{block + 4:02}_{number}.", f"blocks.{block}.{ours}.norm."))
    for number in (1, 2):
        names.append((f"deconv0{number}_1.", f"upsampling.{number - 1}.up.conv."))
        names.append((f"deconv0{number}_2.", f"upsampling.{number - 1}.block.conv."))
        names.append((f"in{number + 11}_1.", f"upsampling.{number - 1}.block.norm."))
    return [*names, ("deconv03_1.", "to_image.conv.")]


@torch.no_grad()
def swap_red_and_blue(generator: CartoonganGenerator) -> None:
    """Make a generator of BGR pictures one of RGB pictures: reverse the order of its picture channels."""
    first, last = generator.encoder.get_submodule("0.conv"), generator.to_image.conv
    assert isinstance(first, nn.Conv2d)
    assert last.bias is not None
    first.weight.copy_(first.weight.flip(1))
    last.weight.copy_(last.weight.flip(0))
    last.bias.copy_(last.bias.flip(0))
