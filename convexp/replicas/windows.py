"""The windows that the units of several networks see, as the columns of one batched matrix product.

Images of R networks lie here as (R, C, H, W, B), with the batch innermost: a window of the whole batch is then a few contiguous
runs, which is what makes copying it cheap. There may be one spatial dimension or three as well.
"""

import math
from dataclasses import dataclass
from itertools import product
from typing import Any, Self

import torch
from torch import Tensor

from convexp.geometry import Size
from convexp.layers.windowed import WindowedLayer


@dataclass(frozen=True)
class Window:
    """Where the windows of a layer lie: kernel, stride, dilation, border, and the units that there are, per dimension."""

    kernel: Size
    stride: Size
    dilation: Size
    padding: Size
    padding_mode: str
    output: Size
    groups: int

    @classmethod
    def of(cls, layer: WindowedLayer) -> Self:
        """Return the windows of a layer."""
        window = (layer.kernel_size, layer.stride, layer.dilation, layer.padding, layer.padding_mode)
        return cls(*window, layer.output_size, layer.groups)

    @property
    def dims(self) -> int:
        """Number of spatial dimensions."""
        return len(self.kernel)

    @property
    def locations(self) -> int:
        """Number of locations of a unit, L = H'*W'."""
        return math.prod(self.output)

    def tap(self, taps: tuple[int, ...]) -> tuple[slice, ...]:
        """Where in the bordered image a tap of the kernel meets the units."""
        places = zip(taps, self.dilation, self.stride, self.output, strict=True)
        return tuple(slice(d * a, d * a + s * (n - 1) + 1, s) for a, d, s, n in places)


def by_channel(x: Tensor, window: Window) -> Tensor:
    """Return the windows with channels and taps in front: (R, C, H, W, B) -> (R*G, C/G*k1*k2, H'*W'*B)."""
    d = window.dims
    columns = _Columns.apply(_bordered(x, window), window, (0, 1, *range(2 + d, 2 + 2 * d), *range(2, 2 + d), 2 + 2 * d))
    return columns.view(len(x) * window.groups, -1, window.locations * x.shape[-1])


def by_location(x: Tensor, window: Window) -> Tensor:
    """Return the windows with locations in front, the taps as a local layer's weights: (R*H'*W'*G, k2*k1*C/G, B)."""
    d, groups = window.dims, window.groups
    order = [0, *range(3, 3 + d), 1, 2 + 2 * d, *range(3 + d, 2 + 2 * d), 2, 3 + 2 * d]
    columns = _Columns.apply(_bordered(x, window).unflatten(1, (groups, -1)), window, tuple(order))
    return columns.view(len(x) * window.locations * groups, -1, x.shape[-1])


def _bordered(x: Tensor, window: Window) -> Tensor:
    """``x`` with its border, unless it is one of zeros, which ``_Columns`` adds."""
    if window.padding_mode == "zeros":
        return x
    for dim, (n, p) in enumerate(zip(x.shape[2:-1], window.padding, strict=True), start=2):
        if p:
            x = x.index_select(dim, _seen(n, p, window.padding_mode).to(x.device))
    return x


def _seen(n: int, p: int, mode: str) -> Tensor:
    """The index of the pixel that is seen at each place from -p to n + p - 1."""
    place = torch.arange(-p, n + p)
    if mode == "circular":
        return place % n
    if mode == "replicate":
        return place.clamp(0, n - 1)
    return (n - 1) - ((n - 1) - place.abs()).abs()  # reflect


class _Columns(torch.autograd.Function):
    """Copies windows: (R, ..., H, W, B), and the order of the dimensions (R, ..., H', W', k1, k2, B) in the result."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, window: Window, order: tuple[int, ...]) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.window, ctx.order, ctx.x = window, order, (x.shape, x.stride())
        padded = _with_zeros(x, window)
        lead = x.dim() - 1 - window.dims
        *outer, last = padded.stride()
        outer, space = outer[:lead], outer[lead:]
        shape = (*x.shape[:lead], *window.output, *window.kernel, x.shape[-1])
        units = [s * step for s, step in zip(window.stride, space, strict=True)]
        taps = [d * step for d, step in zip(window.dilation, space, strict=True)]
        seen = padded.as_strided(shape, (*outer, *units, *taps, last), padded.storage_offset())
        return seen.permute(order).contiguous()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        window, order, (shape, strides) = ctx.window, ctx.order, ctx.x
        (grad,) = grads
        lead, d = len(shape) - 1 - window.dims, window.dims
        back = grad.permute([order.index(i) for i in range(len(order))])  # (R, ..., H', W', k1, k2, B)
        borders = _borders(window)
        padded = _empty_like(grad, _padded_shape(shape, borders), strides).zero_()
        for taps in product(*map(range, window.kernel)):
            padded[(..., *window.tap(taps), slice(None))].add_(back[(slice(None),) * (lead + d) + taps])
        inside = (..., *(slice(p, p + n) for p, n in zip(borders, shape[lead:-1], strict=True)), slice(None))
        return padded[inside], None, None


def _borders(window: Window) -> Size:
    return window.padding if window.padding_mode == "zeros" else (0,) * window.dims


def _padded_shape(shape: torch.Size, borders: Size) -> list[int]:
    lead = len(shape) - 1 - len(borders)
    return [*shape[:lead], *(n + 2 * p for n, p in zip(shape[lead:-1], borders, strict=True)), shape[-1]]


def _empty_like(values: Tensor, shape: list[int], strides: tuple[int, ...]) -> Tensor:
    """An empty tensor of ``shape`` with its dimensions in memory in the order of ``strides``."""
    order = sorted(range(len(shape)), key=lambda dim: -strides[dim])
    made = values.new_empty([shape[dim] for dim in order])
    return made.permute([order.index(dim) for dim in range(len(shape))])


def _with_zeros(x: Tensor, window: Window) -> Tensor:
    borders = _borders(window)
    if not any(borders):
        return x
    lead = x.dim() - 1 - window.dims
    padded = _empty_like(x, _padded_shape(x.shape, borders), x.stride()).zero_()
    padded[(..., *(slice(p, p + n) for p, n in zip(borders, x.shape[lead:-1], strict=True)), slice(None))] = x
    return padded
