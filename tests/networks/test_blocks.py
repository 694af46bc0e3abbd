"""The shared parts compute what their arguments say."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from models.networks.blocks.convolution_block import ConvBlock, PadMode
from models.networks.blocks.munit_layer_norm import MunitLayerNorm
from models.networks.blocks.norms import (
    adaptive_instance_norm,
    drit_layer_norm,
    plain_instance_norm,
)
from models.networks.blocks.residual_block import ResidualBlock
from models.networks.blocks.strided_discriminator import halve
from models.networks.blocks.up_blocks import TransposedConv
from models.networks.convolution import set_fast_convolutions


@pytest.fixture
def maps() -> torch.Tensor:
    torch.manual_seed(3)
    return torch.randn(2, 4, 6, 8) + 0.5


@pytest.mark.parametrize("pad_mode", ["reflect", "zero"])
@pytest.mark.parametrize("stride", [1, 2])
def test_fast_convolutions_return_what_the_direct_ones_do(pad_mode: PadMode, stride: int) -> None:
    torch.manual_seed(3)
    block = ConvBlock(
        3, 16, kernel=7, stride=stride, pad=3, pad_mode=pad_mode, bias=True, norm=None, activation=None
    )
    x = torch.randn(1, 3, 16, 16)
    direct = block(x)
    set_fast_convolutions(block, fast=True)
    assert torch.allclose(block(x), direct, atol=1e-5)


def test_uneven_padding_is_left_right_top_and_bottom() -> None:
    block = ConvBlock(
        1,
        1,
        kernel=3,
        stride=2,
        pad=(0, 1, 0, 1),
        pad_mode="zero",
        bias=False,
        norm=None,
        activation=None,
    )
    x = torch.randn(1, 1, 6, 6)
    assert torch.equal(block(x), F.conv2d(F.pad(x, (0, 1, 0, 1)), block.conv.weight, stride=2))


@pytest.mark.parametrize(("crop", "start"), [("start", 1), ("end", 0)])
def test_transposed_convolution_crops_the_side_that_it_names(
    crop: str, start: int, maps: torch.Tensor
) -> None:
    layer = TransposedConv(4, 2, bias=True, crop=crop)  # type: ignore[arg-type]
    full = F.conv_transpose2d(maps, layer.conv.weight, layer.conv.bias, stride=2)  # [2, 2, 13, 17]
    assert torch.allclose(layer(maps), full[..., start : start + 12, start : start + 16], atol=1e-6)


def test_relu_after_the_sum_is_an_argument(maps: torch.Tensor) -> None:
    blocks = [
        ResidualBlock(4, pad_mode="zero", bias=True, norm=plain_instance_norm, relu_after_sum=relu)
        for relu in (False, True)
    ]
    blocks[1].load_state_dict(blocks[0].state_dict())
    assert blocks[0](maps).min() < 0
    assert torch.equal(blocks[1](maps), blocks[0](maps).relu())


def test_adaptive_norm_scales_and_shifts_each_picture_as_it_is_told(maps: torch.Tensor) -> None:
    scale, shift = torch.randn(2, 4), torch.randn(2, 4)
    expected = F.instance_norm(maps) * scale[..., None, None] + shift[..., None, None]
    assert torch.allclose(adaptive_instance_norm(4)(maps, scale, shift), expected, atol=1e-5)


def test_the_layer_norms_of_munit_and_drit_differ_in_deviation_and_epsilon(maps: torch.Tensor) -> None:
    small = maps * 1e-3  # so that the epsilon matters
    munit, drit = MunitLayerNorm(4), drit_layer_norm(4)
    for norm in (munit, drit):
        nn.init.uniform_(norm.gamma)
        nn.init.uniform_(norm.beta)
    flat = small.flatten(1)
    deviation = flat.std(1, correction=1)[:, None, None, None]
    normal = (small - flat.mean(1)[:, None, None, None]) / (deviation + 1e-5)
    expected = normal * munit.gamma[:, None, None] + munit.beta[:, None, None]
    assert torch.allclose(munit(small), expected, atol=1e-5)
    normal = F.layer_norm(small, small.shape[1:], eps=1e-5)
    expected = normal * drit.gamma[:, None, None] + drit.beta[:, None, None]
    assert torch.allclose(drit(small), expected, atol=1e-4)


def test_halving_does_not_count_the_padding() -> None:
    assert torch.equal(halve(torch.ones(1, 1, 6, 6)), torch.ones(1, 1, 3, 3))


@pytest.mark.parametrize("channels_last", [False, True])
def test_gradients_of_munits_layer_norm_are_those_of_its_formula(channels_last: bool) -> None:
    torch.manual_seed(3)
    norm = MunitLayerNorm(4).double()
    nn.init.normal_(norm.beta)
    x = torch.randn(2, 4, 5, 3, dtype=torch.float64) + 0.5
    layout = torch.channels_last if channels_last else torch.contiguous_format
    x = x.to(memory_format=layout).requires_grad_()

    def formula(x: torch.Tensor) -> torch.Tensor:
        deviation, mean = torch.std_mean(x, (1, 2, 3), keepdim=True)
        return (x - mean) / (deviation + 1e-5) * norm.gamma[:, None, None] + norm.beta[:, None, None]

    weights = torch.randn(2, 4, 5, 3, dtype=torch.float64)
    inputs = (x, norm.gamma, norm.beta)
    for found, expected in zip(
        torch.autograd.grad((norm(x) * weights).sum(), inputs),
        torch.autograd.grad((formula(x) * weights).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(found, expected)


def test_constant_map_has_finite_gradients_in_munits_layer_norm() -> None:
    x = torch.full((1, 2, 4, 4), 3.0, requires_grad=True)
    MunitLayerNorm(2)(x).sum().backward()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()
