"""The one-pass layer-instance normalisation equals the paper's formula, forward and backward."""

import pytest
import torch
from torch import Tensor

from models.networks.normalization import EPSILON, layer_instance_norm


def paper_formula(x: Tensor, rho: Tensor, gamma: Tensor, beta: Tensor, *, unbiased: bool) -> Tensor:
    """Return equation 1 of the paper, with both normalisations written out."""
    over_space, over_layer = (2, 3), (1, 2, 3)
    correction = int(unbiased)
    instance = (x - x.mean(over_space, keepdim=True)) / torch.sqrt(
        x.var(over_space, correction=correction, keepdim=True) + EPSILON
    )
    layer = (x - x.mean(over_layer, keepdim=True)) / torch.sqrt(
        x.var(over_layer, correction=correction, keepdim=True) + EPSILON
    )
    rho = rho[None, :, None, None]
    mixed = rho * instance + (1 - rho) * layer
    return gamma.expand(x.shape[:2])[..., None, None] * mixed + beta.expand(x.shape[:2])[..., None, None]


def inputs(dtype: torch.dtype, *, adaptive: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    random = torch.Generator().manual_seed(7)
    batch, channels = 2, 6
    style = (batch, channels) if adaptive else (channels,)
    x = torch.randn(batch, channels, 8, 12, generator=random, dtype=torch.float64)
    x = x * torch.linspace(0.1, 3, channels, dtype=torch.float64)[:, None, None] + 0.7
    rho = torch.rand(channels, generator=random, dtype=torch.float64)
    gamma = torch.randn(style, generator=random, dtype=torch.float64)
    beta = torch.randn(style, generator=random, dtype=torch.float64)
    return tuple(t.to(dtype).requires_grad_() for t in (x, rho, gamma, beta))  # type: ignore[return-value]


@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize("adaptive", [True, False])
def test_one_pass_equals_the_paper_formula_and_its_gradients(adaptive: bool, unbiased: bool) -> None:
    reference, one_pass = inputs(torch.float64, adaptive=adaptive), inputs(torch.float32, adaptive=adaptive)
    weight = torch.randn(reference[0].shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = paper_formula(*reference, unbiased=unbiased)
    found = layer_instance_norm(*one_pass, unbiased=unbiased)
    expected_gradients = torch.autograd.grad((expected * weight).sum(), reference)
    found_gradients = torch.autograd.grad((found * weight.float()).sum(), one_pass)
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-5)
    for found_gradient, expected_gradient in zip(found_gradients, expected_gradients, strict=True):
        torch.testing.assert_close(found_gradient.double(), expected_gradient, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("unbiased", [True, False])
def test_gradients_are_exact_in_float64(unbiased: bool) -> None:
    x, rho, gamma, beta = inputs(torch.float64, adaptive=True)
    x = x[:, :3, :3, :4].detach().requires_grad_()
    rho, gamma, beta = (t[..., :3].detach().requires_grad_() for t in (rho, gamma, beta))
    assert torch.autograd.gradcheck(
        lambda *tensors: layer_instance_norm(*tensors, unbiased=unbiased), (x, rho, gamma, beta)
    )


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_memory_layout_is_kept_and_does_not_change_the_result(layout: torch.memory_format) -> None:
    x, rho, gamma, beta = inputs(torch.float32, adaptive=True)
    y = layer_instance_norm(x.contiguous(memory_format=layout), rho, gamma, beta, unbiased=True)
    assert y.is_contiguous(memory_format=layout)
    torch.testing.assert_close(y, paper_formula(x, rho, gamma, beta, unbiased=True), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("adaptive", [True, False])
def test_bfloat16_maps_are_normalised_in_float32_and_only_rounded(adaptive: bool) -> None:
    x, *others = inputs(torch.float32, adaptive=adaptive)
    halved = x.detach().bfloat16().contiguous(memory_format=torch.channels_last)
    weight = torch.randn(x.shape, generator=torch.Generator().manual_seed(1)).bfloat16()
    outcomes = []
    for same in (halved.requires_grad_(), halved.detach().float().requires_grad_()):
        y = layer_instance_norm(same, *others, unbiased=True)
        outcomes.append([y, *torch.autograd.grad(y, (same, *others), weight.to(y.dtype))])
    for rounded, exact in zip(*outcomes, strict=True):
        torch.testing.assert_close(rounded.float(), exact, rtol=2**-7, atol=2**-7)
    assert outcomes[0][0].dtype == torch.bfloat16
    torch.testing.assert_close(outcomes[0][0], outcomes[1][0].bfloat16(), rtol=0, atol=0)
