"""3x3 convolutions of a padded map by fewer multiplications: Winograd's F(4, 3), forwards and backwards.

Lavin & Gray 2016 (arXiv 1509.09308) in two dimensions: 4x4 results for 36 products instead of 144. Of a map
that was doubled by nearest neighbours first, every second pixel repeats its neighbour: with the points chosen
here one of the six combinations of such a row is zero, and 25 products remain. Transforms are matrix products
over maps that lie channels last, so that each step is one call of a tuned library.

Against a direct convolution the rounding error is 5 to 10 times as large, some 1e-6 of the result in float32;
the points are those that keep it small (Barabasz et al. 2020, arXiv 1803.10986).
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
"""Rows and columns of results that a tile of the map gives."""
TAPS = 3
CHUNK_VALUES = 600_000
"""Transformed values that are worked on at once: more of them would leave the cache between two steps."""


class Transforms(NamedTuple):
    """Both dimensions at once: t x t pixels and 3x3 taps to p factors each, p products to 4x4 results."""

    pixels: Tensor  # [p, t * t]
    taps: Tensor  # [p, 9]
    results: Tensor  # [16, p]
    tile: int  # t
    step: int  # pixels from one tile to the next

    @property
    def overlap(self) -> int:
        return self.tile - self.step


def convolve(x: Tensor, weight: Tensor) -> Tensor:
    """A map padded by reflection, convolved: `[B, C, H, W]` to `[B, K, H, W]`; H and W multiples of 4."""
    apply: Callable[..., Tensor] = _Winograd.apply
    return apply(x, weight, "reflect")


def convolve_doubled(x: Tensor, weight: Tensor) -> Tensor:
    """A map doubled by nearest neighbours, padded by reflection, convolved: to `[B, K, 2H, 2W]`; H, W even.

    The reflection of a doubled map repeats its edge, so that of the map itself the edge is repeated.
    """
    apply: Callable[..., Tensor] = _Winograd.apply
    return apply(x, weight, "replicate")


@functools.cache
def _transforms(mode: str, dtype: torch.dtype) -> Transforms:
    if mode == "replicate":
        pixels, taps, results = _cook_toom((0, 1, -1, 2, -2))
        pixels = pixels @ np.repeat(np.eye(4), (1, 2, 2, 1), axis=0)  # a b c d is read as a b b c c d
        kept = np.abs(pixels).max(1) > 0
        assert kept.sum() == 5, "the combination for the point -1 is zero"
        pixels, taps, results = pixels[kept], taps[kept], results[:, kept]
    else:
        pixels, taps, results = _cook_toom((0, 0.5**0.5, -(0.5**0.5), 2**0.5, -(2**0.5)))
    pixels_both, taps_both, results_both = (
        torch.from_numpy(np.kron(one, one)).to(dtype) for one in (pixels, taps, results)
    )
    step = RESULTS if mode == "reflect" else RESULTS // 2
    return Transforms(pixels_both, taps_both, results_both, tile=pixels.shape[1], step=step)


def _cook_toom(points: tuple[float, ...]) -> tuple[NDArray[np.float64], ...]:
    """One dimension, for some points and infinity: pixels `[6, 6]`, taps `[6, 3]`, results `[4, 6]`."""
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
    """p products of pixels and taps a tile, `[p, tiles, C] x [p, C, K]`; all else is their transforms."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, mode: str) -> Tensor:
        how = _transforms(mode, x.dtype)
        padded = _channels_last(F.pad(x, (1, 1, 1, 1), mode=mode))  # [B, H + 2, W + 2, C]
        taps = _to_products(how.taps, weight)  # [p, K, C]
        across, down = _tiles(how, padded)
        made = x.new_empty(x.shape[0], down, RESULTS, across, RESULTS, weight.shape[0])
        for part in _chunks(how, padded):
            products = torch.bmm(_pixels(how, padded[part]), taps.mT)  # [p, tiles, K]
            results = (how.results @ products.flatten(1)).view(
                RESULTS, RESULTS, -1, down, across, made.shape[-1]
            )
            made[part] = results.permute(2, 3, 0, 4, 1, 5)
        ctx.save_for_backward(padded, taps)
        ctx.mode = mode
        return made.flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        padded, taps = ctx.saved_tensors
        how = _transforms(ctx.mode, padded.dtype)
        of_x, of_weight = ctx.needs_input_grad[:2]
        across, down = _tiles(how, padded)
        g = _channels_last(gradient).view(-1, down, RESULTS, across, RESULTS, taps.shape[1])
        on_taps = torch.empty_like(taps)
        on_padded = padded.new_zeros(len(g), down + 1, how.step, across + 1, how.step, padded.shape[3])
        for part in _chunks(how, padded):
            on_results = g[part].permute(2, 4, 0, 1, 3, 5).reshape(RESULTS**2, -1)
            on_products = (how.results.mT @ on_results).view(len(taps), -1, taps.shape[1])
            if of_weight:
                on_taps.baddbmm_(on_products.mT, _pixels(how, padded[part]), beta=float(part.start > 0))
            if of_x:
                on_pixels = how.pixels.mT @ torch.bmm(on_products, taps).flatten(1)
                _lay_tiles(how, on_pixels, on_padded[part])
        height, width = padded.shape[1:3]
        whole = on_padded.flatten(3, 4).flatten(1, 2)[:, :height, :width]
        return (
            _unpad(whole, ctx.mode) if of_x else None,
            _from_products(how.taps, on_taps) if of_weight else None,
            None,
        )


def _channels_last(x: Tensor) -> Tensor:
    """`[B, C, H, W]` as `[B, H, W, C]`, in memory too."""
    return x.permute(0, 2, 3, 1).contiguous()


def _tiles(how: Transforms, padded: Tensor) -> tuple[int, int]:
    """How many there are across and down."""
    height, width = padded.shape[1:3]
    return (width - how.overlap) // how.step, (height - how.overlap) // how.step


def _chunks(how: Transforms, padded: Tensor) -> list[slice]:
    """Parts of the batch that fit the cache."""
    across, down = _tiles(how, padded)
    size = max(1, CHUNK_VALUES // (len(how.pixels) * across * down * padded.shape[3]))
    return [slice(start, start + size) for start in range(0, len(padded), size)]


def _pixels(how: Transforms, padded: Tensor) -> Tensor:
    """Every tile's combinations of its pixels, `[p, tiles, C]`."""
    across, down = _tiles(how, padded)
    batch, row, pixel, channel = padded.stride()
    size = (how.tile, how.tile, len(padded), down, across, padded.shape[3])
    stride = (row, pixel, batch, how.step * row, how.step * pixel, channel)
    tiles = padded.as_strided(size, stride, padded.storage_offset()).reshape(how.tile**2, -1)
    return (how.pixels @ tiles).view(len(how.pixels), -1, padded.shape[3])


def _lay_tiles(how: Transforms, on_pixels: Tensor, onto: Tensor) -> None:
    """Add the tiles' pixels up where the tiles lay; `onto` is zero."""
    step, overlap = how.step, how.overlap
    batch, down, _, across, _, channels = onto.shape
    tiles = on_pixels.view(how.tile, how.tile, batch, down - 1, across - 1, channels).permute(
        2, 3, 0, 4, 1, 5
    )
    onto[:, :-1, :, :-1] = tiles[:, :, :step, :, :step]
    onto[:, 1:, :overlap, :-1] += tiles[:, :, step:, :, :step]
    onto[:, :-1, :, 1:, :overlap] += tiles[:, :, :step, :, step:]
    onto[:, 1:, :overlap, 1:, :overlap] += tiles[:, :, step:, :, step:]


def _unpad(padded: Tensor, mode: str) -> Tensor:
    """The gradient of a map from that of the padded one, `[B, H + 2, W + 2, C]` to `[B, C, H, W]`."""
    inside = 2 if mode == "reflect" else 1  # which row the row outside repeats
    padded[:, inside] += padded[:, 0]
    padded[:, -1 - inside] += padded[:, -1]
    padded[:, :, inside] += padded[:, :, 0]
    padded[:, :, -1 - inside] += padded[:, :, -1]
    return padded[:, 1:-1, 1:-1].permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


def _to_products(taps: Tensor, weight: Tensor) -> Tensor:
    """`[K, C, 3, 3]` to `[p, K, C]`."""
    return (taps @ weight.permute(2, 3, 0, 1).reshape(TAPS**2, -1)).view(-1, *weight.shape[:2])


def _from_products(taps: Tensor, gradient: Tensor) -> Tensor:
    """The gradient of the weight from that of what `_to_products` made of it."""
    on_weight = taps.mT @ gradient.flatten(1)
    return on_weight.view(TAPS, TAPS, *gradient.shape[1:]).permute(2, 3, 0, 1)
