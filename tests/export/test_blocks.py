"""The operators of the shared blocks compute the same functions as the blocks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.bundle.graph_switches import WINOGRAD, turn_on
from models.networks.blocks.convolution_block import ConvBlock, PadMode
from models.networks.blocks.munit_layer_norm import MunitLayerNorm
from models.networks.blocks.norms import (
    NormFactory,
    adaptive_instance_norm,
    affine_instance_norm,
    drit_layer_norm,
    plain_instance_norm,
)
from models.networks.blocks.residual_block import ResidualBlock
from models.networks.blocks.up_blocks import Crop, NearestUp, TransposedPairUp, TransposedUp
from models.networks.cyclegan import CycleganGenerator, CycleganGeneratorConfig
from models.networks.unit import UnitGenerator, UnitGeneratorConfig
from training.export.blocks import write_layer, write_layers, write_residual
from training.export.graph import Graph
from training.export.parity import cpu_session

SWITCHES = pytest.mark.parametrize("winograd", [False, True])


def maps(channels: int = 5, *, height: int = 6, width: int = 9) -> Tensor:
    torch.manual_seed(1)
    return torch.randn(2, channels, height, width, dtype=torch.float64) * 2 + 0.7


def randomized(module: nn.Module) -> nn.Module:
    """Return a module in float64 whose every parameter is random, also those that start at 0 or 1."""
    torch.manual_seed(2)
    for parameter in module.parameters():
        nn.init.normal_(parameter, 0.1, 0.4)
    return module.double().eval()


def assert_equal(module: nn.Module, x: Tensor, *, winograd: bool = False) -> None:
    """Fail unless the exported module returns what torch does in float64, up to float32's rounding."""
    graph = Graph("block")
    graph.switch(WINOGRAD)
    values = graph.input("x", np.float32, ["N", x.shape[1], "H", "W"])
    graph.output(write_layer(graph, values, module), "y", np.float32, ["N", "C", "h", "w"])
    model = graph.build()
    session = cpu_session(turn_on(model, WINOGRAD) if winograd else model)
    (found,) = session.run(None, {"x": x.float().numpy()})
    with torch.inference_mode():
        expected = module(x).numpy()
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 2e-5 * np.abs(expected).max()


@SWITCHES
@pytest.mark.parametrize(
    ("kernel", "stride", "pad"), [(7, 1, 3), (3, 1, 1), (3, 2, 1), (4, 2, 1), (1, 1, 0), (3, 2, (0, 1, 0, 1))]
)
@pytest.mark.parametrize("pad_mode", ["reflect", "zero"])
@pytest.mark.parametrize("norm", [None, plain_instance_norm, affine_instance_norm])
def test_convolution_blocks(
    kernel: int,
    stride: int,
    pad: int | tuple[int, int, int, int],
    pad_mode: PadMode,
    norm: NormFactory | None,
    winograd: bool,
) -> None:
    block = ConvBlock(
        5,
        4,
        kernel=kernel,
        stride=stride,
        pad=pad,
        pad_mode=pad_mode,
        bias=True,
        norm=norm,
        activation=nn.LeakyReLU(0.2),
    )
    assert_equal(randomized(block), maps(), winograd=winograd)


@pytest.mark.parametrize("pad_mode", ["reflect", "zero"])
def test_convolution_to_a_picture(pad_mode: PadMode) -> None:
    block = ConvBlock(
        5, 3, kernel=7, stride=1, pad=3, pad_mode=pad_mode, bias=True, norm=None, activation=nn.Tanh()
    )
    assert_equal(randomized(block), maps())


@SWITCHES
@pytest.mark.parametrize("relu", [False, True])
def test_residual_blocks(relu: bool, winograd: bool) -> None:
    block = ResidualBlock(5, pad_mode="reflect", bias=True, norm=affine_instance_norm, relu_after_sum=relu)
    assert_equal(randomized(block), maps(), winograd=winograd)


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("norm", [plain_instance_norm, affine_instance_norm, MunitLayerNorm, drit_layer_norm])
def test_nearest_up_blocks(kernel: int, norm: NormFactory) -> None:
    block = NearestUp(5, 4, kernel=kernel, pad_mode="reflect", bias=True, norm=norm, activation=nn.ReLU())
    assert_equal(randomized(block), maps())


@pytest.mark.parametrize(("height", "width"), list(itertools.product((2, 3, 8), repeat=2)))
def test_border_of_a_repeated_map_is_reflected(height: int, width: int) -> None:
    block = NearestUp(
        5, 4, kernel=5, pad_mode="reflect", bias=True, norm=drit_layer_norm, activation=nn.ReLU()
    )
    assert_equal(randomized(block), maps(height=height, width=width))


@pytest.mark.parametrize("crop", ["start", "end"])
@pytest.mark.parametrize("norm", [plain_instance_norm, drit_layer_norm])
def test_transposed_up_blocks(crop: Crop, norm: NormFactory) -> None:
    up = TransposedUp(5, 4, bias=True, crop=crop, norm=norm, activation=nn.ReLU())
    assert_equal(randomized(up), maps())
    pair = TransposedPairUp(5, 4, pad_mode="zero", bias=True, crop=crop, norm=norm, activation=nn.ReLU())
    assert_equal(randomized(pair), maps())


def test_residual_block_with_styles() -> None:
    block = ResidualBlock(5, pad_mode="reflect", bias=True, norm=adaptive_instance_norm, relu_after_sum=False)
    randomized(block)
    x, styles = maps(), torch.randn(2, 2, 2, 5, dtype=torch.float64)  # block's norm, scale or shift, [N, C]
    graph = Graph("block")
    graph.switch(WINOGRAD)
    names = [
        [graph.input(f"{kind}{norm}", np.float32, ["N", 5, 1, 1]) for kind in ("scale", "shift")]
        for norm in range(2)
    ]
    values = graph.input("x", np.float32, ["N", 5, "H", "W"])
    found = write_residual(graph, values, block, [(scale, shift) for scale, shift in names])
    graph.output(found, "y", np.float32, ["N", 5, "H", "W"])
    given = {
        name: styles[norm, kind, :, :, None, None].float().numpy()
        for norm, pair in enumerate(names)
        for kind, name in enumerate(pair)
    }
    (y,) = cpu_session(graph.build()).run(None, {"x": x.float().numpy(), **given})
    with torch.inference_mode():
        expected = block(x, [(scale, shift) for scale, shift in styles]).numpy()
    assert np.abs(y - expected).max() < 2e-5 * np.abs(expected).max()


@SWITCHES
@pytest.mark.parametrize("size", [(32, 32), (36, 40)])
def test_whole_generators(size: tuple[int, int], winograd: bool) -> None:
    cyclegan = CycleganGenerator(CycleganGeneratorConfig(channels=4, blocks=2))
    unit = UnitGenerator(UnitGeneratorConfig(channels=4, blocks=1))
    x = maps(3, height=size[0], width=size[1]).clamp(-1, 1)
    for network in (cyclegan, unit):
        torch.manual_seed(2)
        assert_equal(InOrder(network.double().eval()), x, winograd=winograd)


class InOrder(nn.Sequential):
    """A generator whose parts run one after the other."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__(*_leaves(network))


def _leaves(network: nn.Module) -> list[nn.Module]:
    kinds = (ConvBlock, ResidualBlock, TransposedUp)
    if isinstance(network, kinds):
        return [network]
    return [leaf for child in network.children() for leaf in _leaves(child)]


def test_unknown_layer_is_named() -> None:
    with pytest.raises(TypeError, match="no operators for Dropout"):
        write_layers(Graph("block"), "x", [nn.Dropout()])
