"""Networks from the state dicts of DRIT's official PyTorch code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from torch import nn

from models.networks.drit.config import DritConfig
from models.networks.drit.discriminators import content_discriminator, image_discriminator
from models.networks.drit.encoders import AttributeEncoder, ContentEncoder
from models.networks.drit.generator import CONCAT_BLOCKS, FEATURE_WISE_BLOCKS, DritGenerator
from training.importers.errors import OfficialCheckpointError
from training.importers.state import State, fill, positions, rename, sizes_of

Names = list[tuple[str, str]]
DOMAINS: Final = ("A", "B")
IMAGE_DISCRIMINATORS: Final = ("disA", "disA2", "disB", "disB2")
_STATES: Final = 4
"""Layers of an image discriminator before its logits."""


class DritNetworks(NamedTuple):
    """The networks of an official checkpoint, in evaluation mode."""

    config: DritConfig
    encoder: ContentEncoder
    attribute: AttributeEncoder
    generator: DritGenerator
    discriminators: dict[str, nn.Module]
    """Those in the file of disA, disA2, disB, disB2 and disContent."""


def drit_networks(content: Mapping[str, Any]) -> DritNetworks:
    """Return the networks of a checkpoint `{enc_c, enc_a, gen, disA, …}` of state dicts.

    The names inside `gen` say which mode it is of: `dec_share` is concat, `mlpA` feature-wise.

    Raises:
        OfficialCheckpointError: a network is missing or of another architecture.
    """
    if missing := [name for name in ("enc_c", "enc_a", "gen") if name not in content]:
        raise OfficialCheckpointError(
            f"A checkpoint of DRIT has enc_c, enc_a and gen; found none of the name {missing[0]}."
        )
    config = _config(content)
    own = _Shapes(config)
    names = _concat_names() if config.mode == "concat" else _feature_wise_names()
    generator = _without_transposed_kernels(rename(content["gen"], names))
    return DritNetworks(
        config,
        fill("enc_c", own.encoder(), rename(content["enc_c"], _content_names())),
        fill("enc_a", own.attribute(), rename(content["enc_a"], _attribute_names(config))),
        fill("gen", own.generator(), _per_channel(generator)),
        dict(_discriminators(content, config)),
    )


class _Shapes(NamedTuple):
    config: DritConfig

    def encoder(self) -> ContentEncoder:
        return ContentEncoder(self.config, DOMAINS)

    def attribute(self) -> AttributeEncoder:
        return AttributeEncoder(self.config, DOMAINS)

    def generator(self) -> DritGenerator:
        return DritGenerator(self.config, DOMAINS)


def _config(content: Mapping[str, Any]) -> DritConfig:
    channels, _ = sizes_of("enc_c", content["enc_c"], "convA.0.model.1.weight")
    concat = bool(positions(content["gen"], r"dec_share\.(\d+)\."))
    style, _ = sizes_of("enc_a", content["enc_a"], "fc_A.0.weight" if concat else "model_a.16.weight")
    scales = positions(content.get("disA", {}), r"Diss\.(\d+)\.")
    layers = positions(content.get("disContent", {}), r"model\.(\d+)\.model\.")
    return DritConfig(
        channels=channels,
        style=style,
        mode="concat" if concat else "feature-wise",
        scales=max(1, len(scales)) if "disA" in content else 3,
        content_layers=max(1, len(layers) - 1) if "disContent" in content else 3,
    )


def _discriminators(content: Mapping[str, Any], config: DritConfig) -> Iterator[tuple[str, nn.Module]]:
    for name in IMAGE_DISCRIMINATORS:
        if name in content:
            yield name, fill(name, image_discriminator(config), rename(content[name], _image_names(config)))
    if "disContent" in content:
        names = [
            (rf"model\.{layer}\.model\.1\.", f"blocks.{layer}.conv.")
            for layer in range(config.content_layers + 1)
        ]
        last = config.content_layers + 1
        names.append((rf"model\.{last}\.", f"blocks.{last}.conv."))
        yield (
            "disContent",
            fill("disContent", content_discriminator(config), rename(content["disContent"], names)),
        )


def _image_names(config: DritConfig) -> Names:
    return [
        *(
            (rf"Diss\.{scale}\.{layer}\.model\.1\.", f"scales.{scale}.blocks.{layer}.conv.")
            for scale in range(config.scales)
            for layer in range(_STATES)
        ),
        *(
            (rf"Diss\.{scale}\.{_STATES}\.", f"scales.{scale}.blocks.{_STATES}.conv.")
            for scale in range(config.scales)
        ),
    ]


def _content_names() -> Names:
    names: Names = []
    for domain in DOMAINS:
        for layer in range(3):
            names.append((rf"conv{domain}\.{layer}\.model\.1\.", f"private.{domain}.{layer}.conv."))
        for block in range(3, 6):
            names += _residual(rf"conv{domain}\.{block}", f"private.{domain}.{block}")
    return [*names, *_residual(r"conv_share\.0", "shared")]


def _attribute_names(config: DritConfig) -> Names:
    names: Names = []
    for domain in DOMAINS:
        ours = f"private.{domain}"
        if config.mode == "feature-wise":
            theirs = rf"model_{domain.lower()}"
            names += [(rf"{theirs}\.{1 + 3 * n}\.", f"{ours}.blocks.{n}.conv.") for n in range(5)]
            names.append((rf"{theirs}\.16\.", f"{ours}.attribute."))
            continue
        names.append((rf"conv_{domain}\.1\.", f"{ours}.first.conv."))
        for block in range(3):
            theirs = rf"conv_{domain}\.{block + 2}"
            names.append((rf"{theirs}\.conv\.2\.", f"{ours}.blocks.{block}.first.conv."))
            names.append((rf"{theirs}\.conv\.4\.1\.", f"{ours}.blocks.{block}.second.conv."))
            names.append((rf"{theirs}\.shortcut\.1\.", f"{ours}.blocks.{block}.shortcut."))
        names.append((rf"fc_{domain}\.0\.", f"{ours}.mean."))
        names.append((rf"fcVar_{domain}\.0\.", f"{ours}.log_variance."))
    return names


def _concat_names() -> Names:
    names = _residual(r"dec_share\.0", "shared")
    for domain in DOMAINS:
        ours = f"private.{domain}"
        for block in range(CONCAT_BLOCKS):
            names += _residual(rf"dec{domain}1\.{block}", f"{ours}.blocks.{block}")
        for number in (1, 2):
            names += _up(rf"dec{domain}{number + 1}\.0", f"{ours}.up{number}")
        names.append((rf"dec{domain}4\.0\.", f"{ours}.to_image."))
    return names


def _feature_wise_names() -> Names:
    names: Names = []
    for domain in DOMAINS:
        ours = f"private.{domain}"
        for block in range(FEATURE_WISE_BLOCKS):
            theirs, block_name = rf"dec{domain}{block + 1}", f"{ours}.blocks.{block}"
            for number in (1, 2):
                names.append((rf"{theirs}\.conv{number}\.0\.1\.", f"{block_name}.conv{number}.conv."))
                names.append((rf"{theirs}\.blk{number}\.0\.", f"{block_name}.mix{number}.both."))
                names.append((rf"{theirs}\.blk{number}\.2\.", f"{block_name}.mix{number}.features."))
        for number in (1, 2):
            names += _up(rf"dec{domain}5\.{number - 1}", f"{ours}.up{number}")
        names.append((rf"dec{domain}5\.2\.", f"{ours}.to_image."))
        names.append((rf"mlp{domain}\.", f"{ours}.mlp."))
    return names


def _residual(theirs: str, ours: str) -> Names:
    return [
        (rf"{theirs}\.model\.1\.", f"{ours}.first.conv."),
        (rf"{theirs}\.model\.5\.", f"{ours}.second.conv."),
    ]


def _up(theirs: str, ours: str) -> Names:
    """Return the names of a transposed convolution and of its layer normalisation."""
    return [
        (rf"{theirs}\.model\.0\.", f"{ours}.up.conv."),
        (rf"{theirs}\.model\.1\.weight", f"{ours}.norm.gamma"),
        (rf"{theirs}\.model\.1\.bias", f"{ours}.norm.beta"),
    ]


def _without_transposed_kernels(state: State) -> State:
    """Return a state dict whose last 1x1 kernels are [out, in]; transposed convolutions have [in, out]."""
    return {
        key: value.transpose(0, 1) if key.endswith("to_image.weight") and value.dim() == 4 else value
        for key, value in state.items()
    }


def _per_channel(state: State) -> State:
    """Return a state dict whose layer normalisations have values `[C]` instead of `[C, 1, 1]`."""
    return {
        key: value.flatten() if key.endswith((".gamma", ".beta")) else value for key, value in state.items()
    }
