"""Fast convolutions equal the direct ones: results and gradients, in double precision."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from models.networks import rgb_convolution, upsampled_convolution, winograd
from models.networks.convolution import MIN_WINOGRAD_CHANNELS, ConvSequential

EXACT = 1e-10
Function = Callable[[Tensor, Tensor], Tensor]


def with_gradients(function: Function, x: Tensor, weight: Tensor) -> list[Tensor]:
    """Return the result of a convolution and the gradients of x and of the weight."""
    x, weight = x.detach().clone().requires_grad_(), weight.detach().clone().requires_grad_()
    result = function(x, weight)
    slope = torch.linspace(-1, 1, result.numel(), dtype=result.dtype).view(result.shape)
    return [result.detach(), *torch.autograd.grad(result, (x, weight), slope)]


def reflected(x: Tensor, size: int = 1) -> Tensor:
    return F.pad(x, (size,) * 4, mode="reflect")


def random(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize(
    ("fast", "direct", "x", "weight"),
    [
        (
            winograd.convolve,
            lambda x, weight: F.conv2d(reflected(x), weight),
            random(3, 5, 8, 12),
            random(4, 5, 3, 3),
        ),
        (
            winograd.convolve_upsampled,
            lambda x, weight: F.conv2d(reflected(F.interpolate(x, scale_factor=2)), weight),
            random(3, 5, 6, 8),
            random(4, 5, 3, 3),
        ),
        (
            upsampled_convolution.convolve_upsampled,
            lambda x, weight: F.conv2d(reflected(F.interpolate(x, scale_factor=2)), weight),
            random(3, 5, 3, 8),
            random(4, 5, 3, 3),
        ),
        (rgb_convolution.features_to_rgb, F.conv2d, random(2, 5, 14, 17), random(3, 5, 7, 7)),
        (rgb_convolution.rgb_to_features, F.conv2d, random(2, 3, 14, 17), random(5, 3, 7, 7)),
    ],
    ids=[
        "winograd",
        "winograd of an up-sampled map",
        "phases of an up-sampled map",
        "features to rgb",
        "rgb to features",
    ],
)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_fast_convolution_and_its_gradients_equal_the_direct_one(
    fast: Function, direct: Function, x: Tensor, weight: Tensor, layout: torch.memory_format
) -> None:
    expected = with_gradients(direct, x, weight)
    found = with_gradients(fast, x.to(memory_format=layout), weight.to(memory_format=layout))
    for ours, reference in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, reference, rtol=EXACT, atol=EXACT * float(reference.abs().max()))


def test_batch_in_several_chunks_gives_the_result_of_one_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    x, weight = random(5, 4, 8, 8), random(6, 4, 3, 3)
    whole = with_gradients(winograd.convolve, x, weight)
    monkeypatch.setattr(winograd, "CHUNK_VALUES", 2 * 36 * 4 * 4)  # two pictures of four tiles, four channels
    for chunked, one in zip(with_gradients(winograd.convolve, x, weight), whole, strict=True):
        torch.testing.assert_close(chunked, one, rtol=EXACT, atol=EXACT)


@pytest.mark.parametrize("fast", [winograd.convolve, winograd.convolve_upsampled])
def test_rounding_error_in_single_precision_is_below_1e_5(fast: Function) -> None:
    x, weight = random(2, 64, 16, 16), random(32, 64, 3, 3)
    for exact, rounded in zip(
        with_gradients(fast, x, weight), with_gradients(fast, x.float(), weight.float()), strict=True
    ):
        error = (rounded - exact).square().mean().sqrt() / exact.square().mean().sqrt()
        assert error < 1e-5


@pytest.mark.parametrize("size", [(8, 8), (6, 10)], ids=["whole tiles", "no whole tiles"])
@pytest.mark.parametrize("channels", [MIN_WINOGRAD_CHANNELS, 4])
@pytest.mark.parametrize("upsampled", [True, False])
def test_fast_layers_compute_the_same_function(size: tuple[int, int], channels: int, upsampled: bool) -> None:
    before = [nn.Upsample(scale_factor=2)] if upsampled else []
    layers = ConvSequential(
        *before, nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=False), nn.ReLU()
    )
    layers.double()
    x = random(2, channels, *size)
    expected = layers(x)
    layers.fast = True
    torch.testing.assert_close(layers(x), expected, rtol=EXACT, atol=EXACT)


@pytest.mark.parametrize("upsampled", [True, False])
def test_fast_layers_in_bfloat16_differ_from_full_precision_by_rounding(upsampled: bool) -> None:
    before = [nn.Upsample(scale_factor=2)] if upsampled else []
    layers = ConvSequential(*before, nn.ReflectionPad2d(1), nn.Conv2d(16, 8, 3, bias=False))
    x = random(2, 16, 8, 8).float()
    expected = layers(x).detach()
    layers.fast = True
    with torch.autocast("cpu", torch.bfloat16):
        found = layers(x).detach()
    assert found.dtype == torch.bfloat16
    assert float((found - expected).norm() / expected.norm()) < 0.01
