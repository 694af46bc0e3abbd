"""The generator computed by the paper's formulas, as the baseline of measurements."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from models.networks.cam import CAM, CAMOutput
from models.networks.convolution import ConvSequential
from models.networks.generator import Generator
from models.networks.normalization import EPSILON, LIN, AdaLIN, InstanceNorm
from models.networks.spectral import SpectralConv2d
from training.methods.initialization import parameter_groups
from training.methods.ugatit.method import Ugatit


def by_formula(generator: Generator) -> Generator:
    """Return a copy with the same weights that is computed by the formulas of the paper."""
    plain = copy.deepcopy(generator)
    for module in reversed(list(plain.modules())):  # inner modules first
        for name, child in module.named_children():
            if isinstance(child, AdaLIN | LIN):
                setattr(module, name, FormulaLIN(child) if isinstance(child, LIN) else FormulaAdaLIN(child))
            elif isinstance(child, CAM):
                setattr(module, name, FormulaCAM(child))
            elif isinstance(child, ConvSequential):
                setattr(module, name, nn.Sequential(*child))
            elif isinstance(child, InstanceNorm):
                setattr(module, name, _plain_instance_norm(child))
    return plain


def method_by_formula(method: Ugatit) -> Ugatit:
    """Return a copy of the method that is computed by formula, with an optimizer for its generators."""
    plain = copy.deepcopy(method)
    plain.generators = {name: by_formula(generator) for name, generator in plain.generators.items()}
    plain.networks |= plain.generators
    for discriminator in plain.discriminators.values():
        _divide_weights(discriminator)
    config = method.config
    plain.optimizers["generators"] = torch.optim.Adam(
        parameter_groups(plain.generators.values(), config.weight_decay_on),
        lr=config.learning_rate,
        betas=config.betas,
        weight_decay=config.weight_decay,
    )
    return plain


def _divide_weights(discriminator: nn.Module) -> None:
    """Let convolutions with spectral normalisation divide their weights, as the formula has it."""
    for module in reversed(list(discriminator.modules())):  # inner modules first
        for name, child in module.named_children():
            if isinstance(child, SpectralConv2d):
                setattr(module, name, FormulaSpectralConv2d(child))
            elif isinstance(child, ConvSequential):
                setattr(module, name, nn.Sequential(*child))


class FormulaSpectralConv2d(nn.Module):
    """A convolution by the weight over its largest singular value."""

    def __init__(self, fused: SpectralConv2d) -> None:
        super().__init__()
        self.fused = fused

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.fused.weight, self.fused.bias, self.fused.stride)


def _plain_instance_norm(fused: InstanceNorm) -> nn.InstanceNorm2d:
    plain = nn.InstanceNorm2d(fused.num_features, eps=fused.eps, affine=fused.affine)
    if fused.affine:
        plain.weight, plain.bias = fused.weight, fused.bias
    return plain


def _layer_instance_norm(x: Tensor, rho: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    instance_mean, instance_var = x.mean((2, 3), keepdim=True), x.var((2, 3), keepdim=True)
    layer_mean, layer_var = x.mean((1, 2, 3), keepdim=True), x.var((1, 2, 3), keepdim=True)
    instance = (x - instance_mean) / torch.sqrt(instance_var + EPSILON)
    layer = (x - layer_mean) / torch.sqrt(layer_var + EPSILON)
    rho = rho[None, :, None, None].expand(x.shape[0], -1, -1, -1)
    return (rho * instance + (1 - rho) * layer) * gamma + beta


class FormulaAdaLIN(AdaLIN):
    """AdaLIN computed by equation 1."""

    def __init__(self, fused: AdaLIN) -> None:
        nn.Module.__init__(self)
        self.rho = fused.rho

    def forward(self, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        return _layer_instance_norm(x, self.rho, gamma[..., None, None], beta[..., None, None])


class FormulaLIN(LIN):
    """LIN computed by equation 1."""

    def __init__(self, fused: LIN) -> None:
        nn.Module.__init__(self)
        self.rho, self.gamma, self.beta = fused.rho, fused.gamma, fused.beta

    def forward(self, x: Tensor) -> Tensor:
        return _layer_instance_norm(
            x, self.rho, self.gamma[None, :, None, None], self.beta[None, :, None, None]
        )


class FormulaCAM(nn.Module):
    """The CAM, storing both weighted copies of the features."""

    def __init__(self, fused: CAM) -> None:
        super().__init__()
        self.gap, self.gmp, self.merge = fused.gap, fused.gmp, fused.merge

    def forward(self, x: Tensor) -> CAMOutput:
        gap_logit = self.gap(F.adaptive_avg_pool2d(x, 1).flatten(1))
        gmp_logit = self.gmp(F.adaptive_max_pool2d(x, 1).flatten(1))
        by_gap = x * self.gap.weight[..., None, None]
        by_gmp = x * self.gmp.weight[..., None, None]
        features = F.relu(self.merge(torch.cat([by_gap, by_gmp], 1)))
        return CAMOutput(features, torch.cat([gap_logit, gmp_logit], 1), features.sum(1))
