"""Networks from the state dicts of CycleGAN's official PyTorch code."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from models.networks.blocks.strided_discriminator import StridedDiscriminator
from models.networks.cyclegan import (
    CycleganDiscriminatorConfig,
    CycleganGenerator,
    CycleganGeneratorConfig,
    cyclegan_discriminator,
)
from training.importers.state import fill, positions, rename, sizes_of


def cyclegan_generator(name: str, state: Mapping[str, Tensor]) -> CycleganGenerator:
    """Return the generator of a state dict such as that of `latest_net_G_A.pth`.

    Args:
        name: of the network, for messages.
        state: tensors by official name, `model.1.weight` and so on.

    Raises:
        OfficialCheckpointError: it is not a generator of this architecture.
    """
    channels, _ = sizes_of(name, state, "model.1.weight")
    blocks = len(positions(state, r"model\.(\d+)\.conv_block\."))
    network = CycleganGenerator(CycleganGeneratorConfig(channels=channels, blocks=max(1, blocks)))
    return fill(name, network, rename(state, _generator_names(blocks)))


def cyclegan_discriminator_of(name: str, state: Mapping[str, Tensor]) -> StridedDiscriminator:
    """Return the discriminator of a state dict such as that of `latest_net_D_A.pth`.

    Raises:
        OfficialCheckpointError: it is not a discriminator of this architecture.
    """
    channels, _ = sizes_of(name, state, "model.0.weight")
    convolutions = positions(state, r"model\.(\d+)\.weight$")
    config = CycleganDiscriminatorConfig(channels=channels, layers=max(1, len(convolutions) - 2))
    names = [(rf"model\.{at}\.", f"blocks.{index}.conv.") for index, at in enumerate(convolutions)]
    return fill(name, cyclegan_discriminator(config), rename(state, names))


def _generator_names(blocks: int) -> list[tuple[str, str]]:
    block_names = [
        (rf"model\.{10 + block}\.conv_block\.{at}\.", f"blocks.{block}.{ours}.conv.")
        for block in range(blocks)
        # With dropout, which has no parameters, the second convolution is at position 6.
        for at, ours in (("1", "first"), ("[56]", "second"))
    ]
    after = 10 + blocks
    return [
        (r"model\.1\.", "encoder.0.conv."),
        (r"model\.4\.", "encoder.1.conv."),
        (r"model\.7\.", "encoder.2.conv."),
        *block_names,
        (rf"model\.{after}\.", "upsampling.0.up.conv."),
        (rf"model\.{after + 3}\.", "upsampling.1.up.conv."),
        (rf"model\.{after + 7}\.", "to_image.conv."),
    ]
