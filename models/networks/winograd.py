"""3x3 convolutions with fewer multiplications: Winograd's F(4, 3), forward and backward.

Lavin & Gray 2016 (arXiv 1509.09308) in two dimensions: a tile of 4x4 results takes 36 products instead of
144. After nearest-neighbour up-sampling every second pixel repeats its neighbour; with the points chosen here
one of the six values of each transformed row is then always zero, and 25 products remain. The transforms are
matrix products over channels-last maps, so that each step is one call of a tuned library.

The rounding error is 5 to 10 times that of a direct convolution, about 1e-6 of the result in float32; the
points are chosen to keep it small (Barabasz et al. 2020, arXiv 1803.10986).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F  # noqa: N812

RESULTS = 4
"""Rows and columns of results per tile: the 4 of F(4, 3)."""
TAPS = 3
"""Rows and columns of the kernel: the 3 of F(4, 3)."""
CHUNK_VALUES = 600_000
"""Transformed values per chunk of a batch: more of them would not stay in the cache between two steps."""


class Transforms(NamedTuple):
    """The transforms of a tile, both dimensions in one matrix each.

    In the notation of Lavin & Gray: B^T d B, G g G^T and A^T m A for a tile d of t x t pixels, a kernel g of
    3x3 taps, and m their p products.
    """

    pixels: Tensor  # [p, t * t], B^T kron B^T
    taps: Tensor  # [p, 9], G kron G
    results: Tensor  # [16, p], A^T kron A^T
    tile: int  # t
    step: int  # pixels from one tile to the next

    @property
    def overlap(self) -> int:
        """Rows and columns that two neighbouring tiles share."""
        return self.tile - self.step


def convolve(x: Tensor, weight: Tensor) -> Tensor:
    """Pad a map by reflection and convolve it: `[B, C, H, W]` to `[B, K, H, W]`; H and W multiples of 4."""
    apply: Callable[..., Tensor] = _Winograd.apply
    return apply(x, weight, "reflect")


def convolve_upsampled(x: Tensor, weight: Tensor) -> Tensor:
    """Up-sample a map x2 by nearest neighbours, pad it by reflection and convolve it.

    `[B, C, H, W]` to `[B, K, 2H, 2W]`; H and W even. Reflecting the up-sampled map repeats its edge, so the
    small map is padded by repeating its edge.
    """
    apply: Callable[..., Tensor] = _Winograd.apply
    return apply(x, weight, "replicate")


@functools.cache
def _transforms(mode: str, dtype: torch.dtype) -> Transforms:
    if mode == "replicate":
        pixels, taps, results = _cook_toom((0, 1, -1, 2, -2))
        pixels = pixels @ np.repeat(np.eye(4), (1, 2, 2, 1), axis=0)  # a b c d becomes a b b c c d
        kept = np.abs(pixels).max(1) > 0
        assert kept.sum() == 5, "the transformed value of the point -1 is always zero"
        pixels, taps, results = pixels[kept], taps[kept], results[:, kept]
    else:
        pixels, taps, results = _cook_toom((0, 0.5**0.5, -(0.5**0.5), 2**0.5, -(2**0.5)))
    pixels_both, taps_both, results_both = (
        torch.from_numpy(np.kron(one, one)).to(dtype) for one in (pixels, taps, results)
    )
    step = RESULTS if mode == "reflect" else RESULTS // 2
    return Transforms(pixels_both, taps_both, results_both, tile=pixels.shape[1], step=step)


def _cook_toom(points: tuple[float, ...]) -> tuple[NDArray[np.float64], ...]:
    """Return the transforms of one dimension for five points and infinity, by Cook and Toom's method.

    Pixels `[6, 6]` (B^T), taps `[6, 3]` (G) and results `[4, 6]` (A^T).
    """
    others = [[q for q in points if q != p] for p in points]
    pixels = np.zeros((6, 6))
    for row, rest in zip(pixels, others, strict=False):
        row[:5] = np.poly(rest)[::-1]
    pixels[5] = np.poly(points)[::-1]
    scales = np.array([np.prod([p - q for q in rest]) for p, rest in zip(points, others, strict=True)])
    powers = np.vander(points, RESULTS, increasing=True)
    infinity_taps, infinity_results = np.eye(TAPS)[-1:], np.eye(RESULTS)[:, -1:]
    taps = np.concatenate([powers[:, :TAPS] / scales[:, None], infinity_taps])
    return pixels, taps, np.concatenate([powers.T, infinity_results], 1)


class _Winograd(torch.autograd.Function):
    """p products of pixels and taps per tile, `[p, tiles, C] x [p, C, K]`, between the transforms."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, mode: str) -> Tensor:
        transforms = _transforms(mode, x.dtype)
        padded = _channels_last(F.pad(x, (1, 1, 1, 1), mode=mode))  # [B, H + 2, W + 2, C]
        taps = _transform_kernels(transforms.taps, weight)  # [p, K, C]
        across, down = _tiles(transforms, padded)
        y = x.new_empty(x.shape[0], down, RESULTS, across, RESULTS, weight.shape[0])
        for chunk in _chunks(transforms, padded):
            products = torch.bmm(_pixels(transforms, padded[chunk]), taps.mT)  # [p, tiles, K]
            results = (transforms.results @ products.flatten(1)).view(
                RESULTS, RESULTS, -1, down, across, y.shape[-1]
            )
            y[chunk] = results.permute(2, 3, 0, 4, 1, 5)
        ctx.save_for_backward(padded, taps)
        ctx.mode = mode
        return y.flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)  # [B, K, H, W]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        padded, taps = ctx.saved_tensors
        transforms = _transforms(ctx.mode, padded.dtype)
        needs_x, needs_weight = ctx.needs_input_grad[:2]
        across, down = _tiles(transforms, padded)
        g = _channels_last(gradient).view(-1, down, RESULTS, across, RESULTS, taps.shape[1])
        grad_taps = torch.empty_like(taps)
        grad_padded = padded.new_zeros(
            len(g), down + 1, transforms.step, across + 1, transforms.step, padded.shape[3]
        )
        for chunk in _chunks(transforms, padded):
            grad_results = g[chunk].permute(2, 4, 0, 1, 3, 5).reshape(RESULTS**2, -1)
            grad_products = (transforms.results.mT @ grad_results).view(len(taps), -1, taps.shape[1])
            if needs_weight:
                grad_taps.baddbmm_(
                    grad_products.mT, _pixels(transforms, padded[chunk]), beta=float(chunk.start > 0)
                )
            if needs_x:
                grad_pixels = transforms.pixels.mT @ torch.bmm(grad_products, taps).flatten(1)
                _add_tiles(transforms, grad_pixels, grad_padded[chunk])
        height, width = padded.shape[1:3]
        whole = grad_padded.flatten(3, 4).flatten(1, 2)[:, :height, :width]  # [B, H + 2, W + 2, C]
        return (
            _unpad(whole, ctx.mode) if needs_x else None,
            _kernel_gradient(transforms.taps, grad_taps) if needs_weight else None,
            None,
        )


def _channels_last(x: Tensor) -> Tensor:
    """Return `[B, C, H, W]` as a contiguous `[B, H, W, C]`."""
    return x.permute(0, 2, 3, 1).contiguous()


def _tiles(transforms: Transforms, padded: Tensor) -> tuple[int, int]:
    """Return how many tiles there are across and down."""
    height, width = padded.shape[1:3]
    return (width - transforms.overlap) // transforms.step, (height - transforms.overlap) // transforms.step


def _chunks(transforms: Transforms, padded: Tensor) -> list[slice]:
    """Return slices of the batch whose transformed values fit the cache."""
    across, down = _tiles(transforms, padded)
    size = max(1, CHUNK_VALUES // (len(transforms.pixels) * across * down * padded.shape[3]))
    return [slice(start, start + size) for start in range(0, len(padded), size)]


def _pixels(transforms: Transforms, padded: Tensor) -> Tensor:
    """Return the transformed pixels of every tile, `[p, tiles, C]`."""
    across, down = _tiles(transforms, padded)
    batch, row, pixel, channel = padded.stride()
    size = (transforms.tile, transforms.tile, len(padded), down, across, padded.shape[3])
    stride = (row, pixel, batch, transforms.step * row, transforms.step * pixel, channel)
    # A view in which overlapping tiles share memory, then a copy: [t * t, tiles * C].
    tiles = padded.as_strided(size, stride, padded.storage_offset()).reshape(transforms.tile**2, -1)
    return (transforms.pixels @ tiles).view(len(transforms.pixels), -1, padded.shape[3])


def _add_tiles(transforms: Transforms, grad_pixels: Tensor, total: Tensor) -> None:
    """Add the gradients of overlapping tiles to `total`, `[B, tiles, step, tiles, step, C]`."""
    step, overlap = transforms.step, transforms.overlap
    batch, down, _, across, _, channels = total.shape
    tiles = grad_pixels.view(transforms.tile, transforms.tile, batch, down - 1, across - 1, channels).permute(
        2, 3, 0, 4, 1, 5
    )
    total[:, :-1, :, :-1] = tiles[:, :, :step, :, :step]
    total[:, 1:, :overlap, :-1] += tiles[:, :, step:, :, :step]
    total[:, :-1, :, 1:, :overlap] += tiles[:, :, :step, :, step:]
    total[:, 1:, :overlap, 1:, :overlap] += tiles[:, :, step:, :, step:]


def _unpad(padded: Tensor, mode: str) -> Tensor:
    """Return the gradient of a map from that of the padded map, `[B, H + 2, W + 2, C]` to `[B, C, H, W]`."""
    inside = 2 if mode == "reflect" else 1  # the row that the padding row repeats
    padded[:, inside] += padded[:, 0]
    padded[:, -1 - inside] += padded[:, -1]
    padded[:, :, inside] += padded[:, :, 0]
    padded[:, :, -1 - inside] += padded[:, :, -1]
    return padded[:, 1:-1, 1:-1].permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


def _transform_kernels(taps: Tensor, weight: Tensor) -> Tensor:
    """Return the transformed kernels: `[K, C, 3, 3]` to `[p, K, C]`."""
    return (taps @ weight.permute(2, 3, 0, 1).reshape(TAPS**2, -1)).view(-1, *weight.shape[:2])


def _kernel_gradient(taps: Tensor, gradient: Tensor) -> Tensor:
    """Return the gradient of the weight from that of the transformed kernels."""
    grad_weight = taps.mT @ gradient.flatten(1)
    return grad_weight.view(TAPS, TAPS, *gradient.shape[1:]).permute(2, 3, 0, 1)
