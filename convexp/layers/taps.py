"""The weights of a layer by location and tap, and which pixel lies under which tap.

L = H'*W' locations, T taps (the pixels of a window, or all P = H*W pixels), D dimensions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import torch
from torch import Tensor

from convexp.geometry import Size, extent
from convexp.layers.operands import pad


@dataclass(frozen=True)
class Taps:
    """The weights of a layer by location and tap, in the same form for every wiring.

    Attributes:
        weights: The M = O*C/groups weights of every pair of location and tap, (L, T, M).
        offsets: The way from the middle of the location's window to the tap, in pixels, (L, T, D); whole numbers, or halves
            for an even window.
        pixels: The pixel under the tap, numbered in row-major order, (L, T); -1 on a border of zeros.
        shared: Whether all locations use the same weights by construction, whatever was learned.
    """

    weights: Tensor
    offsets: Tensor
    pixels: Tensor
    shared: bool

    @cached_property
    def seen(self) -> Tensor:
        """Whether the tap meets data, (L, T) bool; on a border of zeros it does not, and its weight is never used."""
        return self.pixels >= 0

    def energy(self) -> Tensor:
        """Return the sum of the squared weights, 0 where the tap meets no data: (L, T), float64."""
        each = self.weights[:1] if self.weights.stride(0) == 0 else self.weights  # those of one location may stand for all
        return each.square().sum(2, dtype=torch.float64) * self.seen

    def distance(self) -> Tensor:
        """Return ``max_i |a_i|`` over the dimensions of the offset a: (L, T), in pixels."""
        return self.offsets.abs().amax(2)


class WindowGeometry(Protocol):
    """The sizes, one for each dimension, that say which pixels a window covers; every ``SpatialLayer`` has them."""

    input_size: Size
    output_size: Size
    kernel_size: Size
    stride: Size
    padding: Size
    dilation: Size
    padding_mode: str


def _dimensions(g: WindowGeometry) -> Iterator[tuple[int, int, int, int, int, int]]:
    return zip(g.input_size, g.output_size, g.kernel_size, g.stride, g.padding, g.dilation, strict=True)


def seen_pixels(g: WindowGeometry) -> Tensor:
    """Return the pixel under every tap of every location, in row-major order: (L, T), on the CPU; -1 on a border of zeros."""
    here: Any = {"device": "cpu"}
    found = torch.zeros(1, 1, dtype=torch.long, **here)
    outside = torch.zeros(1, 1, dtype=torch.bool, **here)
    for n, out, k, s, p, d in _dimensions(g):
        numbers = torch.arange(1.0, n + 1, dtype=torch.float64, **here)[None, None]
        bordered = pad(numbers, (p,), g.padding_mode)[0, 0].long() - 1
        pixel = bordered[s * torch.arange(out, **here)[:, None] + d * torch.arange(k, **here)]  # (out, k)
        found = (n * found[:, None, :, None] + pixel[None, :, None, :]).flatten(2).flatten(0, 1)
        outside = (outside[:, None, :, None] | (pixel < 0)[None, :, None, :]).flatten(2).flatten(0, 1)
    return found.masked_fill(outside, -1)


def same_pixel(pixels: Tensor) -> Tensor:
    """Return whether two taps of a location meet the same pixel: (L, T) -> (L, T, T)."""
    return (pixels[:, :, None] == pixels[:, None]) & (pixels >= 0)[:, None]


def offsets_in_window(g: WindowGeometry) -> Tensor:
    """Return the offset of every tap from the middle of its window, in pixels: (L, T, D), the same at every location."""
    lines = [d * torch.arange(k, dtype=torch.float64) - (extent(k, d) - 1) / 2 for _, _, k, _, _, d in _dimensions(g)]
    offsets = torch.stack(torch.meshgrid(*lines, indexing="ij"), -1).flatten(0, -2)  # (T, D)
    return offsets.expand(torch.Size(g.output_size).numel(), -1, -1)


def offsets_to_pixels(g: WindowGeometry) -> Tensor:
    """Return the offset of every pixel from the middle of every location's window: (L, P, D), in pixels.

    At a circular border it is the shorter way round.
    """
    found: list[Tensor] = []
    dims = len(g.input_size)
    for dim, (n, out, k, s, p, d) in enumerate(_dimensions(g)):
        centre = s * torch.arange(out, dtype=torch.float64) - p + (extent(k, d) - 1) / 2
        offset = torch.arange(n, dtype=torch.float64) - centre[:, None]  # (out, n)
        if g.padding_mode == "circular":
            offset = torch.remainder(offset + n / 2, n) - n / 2
        places = [1] * (2 * dims)
        places[dim], places[dims + dim] = out, n
        found.append(offset.reshape(places).expand(*g.output_size, *g.input_size))
    return torch.stack([line.flatten(dims).flatten(0, dims - 1) for line in found], -1)
