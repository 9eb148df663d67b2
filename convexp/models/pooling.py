"""Pooling that keeps equivariance: low-pass filters before subsampling, and subsampling that follows the content.

All of them return ``floor(i / n)`` of i units per dimension, n the pooling size (``convexp.geometry.pooling``). B is the batch,
C the channels.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convexp.geometry import Size
from convexp.layers.arguments import PAD_MODE, check_mode
from convexp.layers.conv import CONV
from convexp.models.batch_innermost import by_map, from_maps

torch.fx.wrap("by_map")
torch.fx.wrap("from_maps")

MAX_POOL: dict[int, Any] = {1: F.max_pool1d, 2: F.max_pool2d}


def binomial_filter(taps: Size) -> Tensor:
    """Return the product of binomial filters, ``prod_d comb(k_d - 1, a_d) / 2^(k_d - 1)``, which sums to 1: (k1, k2)."""
    kernel = torch.ones(())
    for k in taps:
        row = torch.tensor([math.comb(k - 1, tap) / 2 ** (k - 1) for tap in range(k)])
        kernel = kernel[..., None] * row
    return kernel


class MaxPool2d(nn.MaxPool2d):
    """``nn.MaxPool2d``, of feature maps as they lie in memory."""

    def forward(self, input: Tensor) -> Tensor:
        """Take the maximum of each window: ``(B, C, H, W) -> (B, C, H', W')``."""
        pooled: Any = super().forward(by_map(input))
        return from_maps(pooled, input)


class AvgPool2d(nn.AvgPool2d):
    """``nn.AvgPool2d``, of feature maps as they lie in memory."""

    def forward(self, input: Tensor) -> Tensor:
        """Take the mean of each window: ``(B, C, H, W) -> (B, C, H', W')``."""
        return from_maps(super().forward(by_map(input)), input)


class Blur(nn.Module):
    """Anti-aliased subsampling: a binomial filter, evaluated at every n-th unit from the first on.

    Source: Zhang 2019, arXiv 1904.11486 ("BlurPool"). After a maximum around every unit it is his max-blur-pooling; after a
    convolution of stride 1 and its activation it stands for a strided convolution.

    Args:
        taps: Size of the filter per dimension, odd.
        stride: Pooling size n per dimension.
        padding_mode: ``zeros``, ``reflect``, ``replicate`` or ``circular``: what lies around the map.

    Shapes: ``(B, C, H, W) -> (B, C, H // n1, W // n2)``; in one dimension ``(B, C, L) -> (B, C, L // n)``.
    """

    def __init__(self, taps: Size, stride: Size, padding_mode: str) -> None:
        super().__init__()
        if len(taps) != len(stride) or not all(k % 2 for k in taps):
            raise ValueError(f"taps={taps}: should be an odd number for each dimension of stride={stride}")
        self.taps, self.stride, self.padding_mode = taps, stride, check_mode(padding_mode)
        self.register_buffer("filter", binomial_filter(taps), persistent=False)
        self.filter: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """Filter and subsample each channel."""
        maps = by_map(x)
        padded = _pad(maps, [(k // 2, k // 2) for k in self.taps], self.padding_mode)
        for dim, (units, n, k) in enumerate(zip(x.shape[2:], self.stride, self.taps, strict=True), start=2):
            padded = padded.narrow(dim, 0, (units // n - 1) * n + k)  # what the last unit sees
        weight = self.filter.to(x.dtype).expand(maps.shape[1], 1, *self.taps)
        return from_maps(CONV[len(self.taps)](padded, weight, None, self.stride, 0, 1, maps.shape[1]), x)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"taps={self.taps}, stride={self.stride}, padding_mode={self.padding_mode}"


class DenseMax(nn.Module):
    """The maximum over a window around every unit: max pooling with stride 1, as large as its input.

    Args:
        window: Size of the window per dimension. It begins ``(n - 1) // 2`` units before its unit.
        padding_mode: ``zeros``, ``reflect``, ``replicate`` or ``circular``: what lies around the map.

    Shapes: ``(B, C, H, W) -> (B, C, H, W)``; in one dimension ``(B, C, L) -> (B, C, L)``.
    """

    def __init__(self, window: Size, padding_mode: str) -> None:
        super().__init__()
        self.window, self.padding_mode = window, check_mode(padding_mode)

    def forward(self, x: Tensor) -> Tensor:
        """Take the maximum in each channel."""
        padded = _pad(by_map(x), [((n - 1) // 2, n // 2) for n in self.window], self.padding_mode)
        return from_maps(MAX_POOL[len(self.window)](padded, self.window, 1), x)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"window={self.window}, padding_mode={self.padding_mode}"


class AdaptivePolyphase(nn.Module):
    """Adaptive polyphase sampling: of the ways to keep every n-th unit, the one whose units have the largest norm.

    A circular shift of the map permutes its polyphase components ``x[c, n1*i + a, n2*j + b]`` and moves them by whole units.
    All channels are compared together, so the component kept is the same up to such a move: the output shifts by whole units,
    and what is pooled over it afterwards stays as it was. Of components with equal norms the first is kept; only if such
    components differ, a shift may change which.

    Source: Chaman & Dokmanić 2021, arXiv 2011.14214.

    Args:
        stride: Pooling size n per dimension; it has to divide the size of the map.

    Shapes: ``(B, C, H, W) -> (B, C, H / n1, W / n2)``; in one dimension ``(B, C, L) -> (B, C, L / n)``.
    """

    def __init__(self, stride: Size) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Keep the component with the largest Euclidean norm, for each image by itself."""
        dims, size = len(self.stride), tuple(x.shape[2:])
        if len(size) != dims or any(pixels % n for pixels, n in zip(size, self.stride, strict=True)):
            raise ValueError(f"the map has the size {size}; should be divisible by stride={self.stride}")
        parts = x
        for dim, n in enumerate(self.stride):
            parts = parts.unflatten(2 + 2 * dim, (-1, n))  # (B, C, H/n1, n1, W/n2, n2)
        phases, places = [3 + 2 * dim for dim in range(dims)], [2 + 2 * dim for dim in range(dims)]
        parts = parts.permute(0, *phases, 1, *places).flatten(1, dims)  # (B, n1*n2, C, H/n1, W/n2)
        wide = torch.float32 if x.device.type == "mps" else torch.float64  # few norms should be equal by rounding
        norms = parts.detach().to(wide).square().flatten(2).sum(2)  # (B, n1*n2)
        return parts[torch.arange(len(x), device=x.device), norms.argmax(1)]

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"stride={self.stride}"


def _pad(x: Tensor, border: list[tuple[int, int]], mode: str) -> Tensor:
    """Add units before and after each dimension."""
    widths = [units for sides in reversed(border) for units in sides]
    return F.pad(x, widths, mode=PAD_MODE[mode]) if any(widths) else x
