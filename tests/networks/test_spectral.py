"""Spectral normalisation by a division of the input equals torch's, which divides the weight."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from models.networks.spectral import SpectralConv2d

LAYOUTS = [torch.contiguous_format, torch.channels_last]


def pair(layout: torch.memory_format, *, bias: bool = True) -> tuple[nn.Module, nn.Module]:
    """Return our layer and torch's, with the same state in float64."""
    torch.manual_seed(0)
    ours = SpectralConv2d(3, 5, 4, 2, bias=bias).double()
    theirs = spectral_norm(nn.Conv2d(3, 5, 4, 2, bias=bias).double())
    theirs.load_state_dict(ours.state_dict())
    for layer in (ours, theirs):
        layer.to(memory_format=layout)  # type: ignore[call-overload]
    return ours, theirs


def outcome(layer: nn.Module, passes: int = 1) -> dict[str, Tensor]:
    """Return the result of the last pass, the gradients, and the state after it, by name."""
    random = torch.Generator().manual_seed(1)
    x = torch.randn(2, 3, 10, 10, generator=random, dtype=torch.float64, requires_grad=True)
    for _ in range(passes):
        y = layer(x)
    y.backward(torch.randn(y.shape, generator=random, dtype=torch.float64))
    gradients = {f"gradient of {name}": p.grad for name, p in layer.named_parameters() if p.grad is not None}
    return {"y": y, "x": x.grad, **gradients, **layer.state_dict()}  # type: ignore[dict-item]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_result_gradients_and_power_iteration_equal_those_of_torch(
    layout: torch.memory_format, bias: bool
) -> None:
    ours, theirs = (outcome(layer, passes=3) for layer in pair(layout, bias=bias))
    assert list(ours) == list(theirs)
    for name, value in theirs.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-10, atol=1e-12, msg=name)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_power_iteration_stands_still_in_evaluation(layout: torch.memory_format) -> None:
    layer = pair(layout)[0].eval()
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    ours, theirs = (outcome(each.eval()) for each in pair(layout))
    torch.testing.assert_close(ours["y"], theirs["y"])
    torch.testing.assert_close(
        ours["gradient of parametrizations.weight.original"],
        theirs["gradient of parametrizations.weight.original"],
    )
    layer(torch.ones(1, 3, 10, 10, dtype=torch.float64))
    assert all(torch.equal(before[name], value) for name, value in layer.state_dict().items())


def test_frozen_layer_passes_gradients_to_its_input_only() -> None:
    ours, theirs = (layer.requires_grad_(False) for layer in pair(torch.channels_last))
    assert torch.allclose(outcome(ours)["x"], outcome(theirs)["x"])
    assert all(parameter.grad is None for parameter in ours.parameters())


def test_weight_is_the_normalised_one() -> None:
    layer = pair(torch.contiguous_format)[0].eval()
    x = torch.ones(1, 3, 10, 10, dtype=torch.float64)
    direct = nn.functional.conv2d(x, layer.weight, layer.bias, layer.stride)  # type: ignore[arg-type]
    torch.testing.assert_close(layer(x), direct)
