"""Networks from the state dicts of the official code of MUNIT, which is also that of UNIT."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from models.networks.blocks.strided_discriminator import MultiScaleDiscriminator
from models.networks.munit import MunitGenerator, MunitGeneratorConfig
from models.networks.unit import ScalesConfig, UnitGenerator, UnitGeneratorConfig, scales_discriminator
from training.importers.state import fill, positions, rename, sizes_of

Names = list[tuple[str, str]]


def unit_generator(name: str, state: Mapping[str, Tensor]) -> UnitGenerator:
    """Return one domain's generator from an entry of `gen_XXXXXXXX.pt` of UNIT.

    Args:
        name: of the network, for messages.
        state: tensors by official name, `enc.model.0.conv.weight` and so on.

    Raises:
        OfficialCheckpointError: it is not a generator of this architecture.
    """
    channels, _ = sizes_of(name, state, "enc.model.0.conv.weight")
    config = UnitGeneratorConfig(channels=channels, blocks=_blocks(state))
    names = [*_encoder_names(r"enc\.", "encoder."), *_decoder_names()]
    return fill(name, UnitGenerator(config), rename(state, names))


def munit_generator(name: str, state: Mapping[str, Tensor]) -> MunitGenerator:
    """Return one domain's generator from an entry of `gen_XXXXXXXX.pt` of MUNIT.

    Raises:
        OfficialCheckpointError: it is not a generator of this architecture.
    """
    channels, _ = sizes_of(name, state, "enc_content.model.0.conv.weight")
    hidden, style = sizes_of(name, state, "mlp.model.0.fc.weight")
    config = MunitGeneratorConfig(channels=channels, blocks=_blocks(state), style=style, hidden=hidden)
    names = [
        *_encoder_names(r"enc_content\.", "content_encoder."),
        (r"enc_style\.model\.6\.", "style_encoder.to_code."),  # position 5 is the pooling
        (r"enc_style\.model\.(\d)\.conv\.", r"style_encoder.down.\1.conv."),
        *((rf"mlp\.model\.{layer}\.fc\.", f"mlp.layers.{2 * layer}.") for layer in range(3)),
        *_decoder_names(),
    ]
    return fill(name, MunitGenerator(config), rename(state, names))


def scales_discriminator_of(name: str, state: Mapping[str, Tensor]) -> MultiScaleDiscriminator:
    """Return one domain's discriminators from an entry of `dis_XXXXXXXX.pt` of UNIT or MUNIT.

    Raises:
        OfficialCheckpointError: they are not discriminators of this architecture.
    """
    channels, _ = sizes_of(name, state, "cnns.0.0.conv.weight")
    layers = len(positions(state, r"cnns\.0\.(\d+)\.conv\."))
    config = ScalesConfig(channels=channels, layers=layers, scales=len(positions(state, r"cnns\.(\d+)\.")))
    names = [
        (rf"cnns\.(\d+)\.{layers}\.", rf"scales.\1.blocks.{layers}.conv."),  # the 1x1 to the logit
        (r"cnns\.(\d+)\.(\d+)\.conv\.", r"scales.\1.blocks.\2.conv."),
    ]
    return fill(name, scales_discriminator(config), rename(state, names))


def _blocks(state: Mapping[str, Tensor]) -> int:
    return max(1, len(positions(state, r"dec\.model\.0\.model\.(\d+)\.")))


def _encoder_names(theirs: str, ours: str) -> Names:
    return [
        (rf"{theirs}model\.([012])\.conv\.", rf"{ours}down.\1.conv."),
        *_block_names(rf"{theirs}model\.3\.", rf"{ours}blocks."),
    ]


def _decoder_names() -> Names:
    return [
        *_block_names(r"dec\.model\.0\.", "decoder.blocks."),
        (r"dec\.model\.2\.", "decoder.upsampling.0."),
        (r"dec\.model\.4\.", "decoder.upsampling.1."),
        (r"dec\.model\.5\.", "decoder.to_image."),
    ]


def _block_names(theirs: str, ours: str) -> Names:
    return [
        (rf"{theirs}model\.(\d+)\.model\.0\.", rf"{ours}\1.first."),
        (rf"{theirs}model\.(\d+)\.model\.1\.", rf"{ours}\1.second."),
    ]
