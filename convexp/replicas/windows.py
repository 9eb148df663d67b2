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
from convexp.layers.operands import working_type
from convexp.layers.windowed import WindowedLayer

LONG, PARTS = 8192, 64
"""From which length on a sum is cut into parts on a GPU, and into how many at most."""


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


def products_by_channel(x: Tensor, kernels: Tensor, bias: Tensor | None, window: Window) -> Tensor:
    """Multiply windows of all locations with the same kernels.

    Args:
        x: Images, (R, C, H, W, B).
        kernels: (R*G, O/G, C/G*k1*k2).
        bias: (R*G, O/G, 1), or None.
        window: Where the windows lie.

    Returns:
        (R*G, O/G, H'*W'*B).
    """
    d, groups = window.dims, window.groups
    order = (0, 1, 2, *range(3 + d, 3 + 2 * d), *range(3, 3 + d), 3 + 2 * d)
    images = _bordered(x, window).unflatten(1, (groups, -1))
    return _Products.apply(*_cast(images, kernels, bias), window, order, len(x) * groups)


def products_by_location(x: Tensor, kernels: Tensor, bias: Tensor | None, window: Window) -> Tensor:
    """Multiply the windows of each location with its own kernels.

    Args:
        x: Images, (R, C, H, W, B).
        kernels: (R*H'*W'*G, O/G, k2*k1*C/G), the taps in the order of a local layer's weights.
        bias: (R*H'*W'*G, O/G, 1), or None.
        window: Where the windows lie.

    Returns:
        (R*H'*W'*G, O/G, B).
    """
    d, groups = window.dims, window.groups
    order = (0, *range(3, 3 + d), 1, 2 + 2 * d, *range(3 + d, 2 + 2 * d), 2, 3 + 2 * d)
    images = _bordered(x, window).unflatten(1, (groups, -1))
    return _Products.apply(*_cast(images, kernels, bias), window, order, len(x) * window.locations * groups)


def _cast(*tensors: Tensor | None) -> list[Tensor | None]:
    """The tensors in the type that autocast works in, if it is on."""
    return [None if tensor is None else tensor.to(working_type(tensor)) for tensor in tensors]


def _bordered(x: Tensor, window: Window) -> Tensor:
    """``x`` with its border, unless it is one of zeros, which ``_Columns`` adds."""
    if window.padding_mode == "zeros":
        return x
    for dim, (n, p) in enumerate(zip(x.shape[2:-1], window.padding, strict=True), start=2):
        if p:
            x = x.index_select(dim, _seen(n, p, window.padding_mode, x.device))
    return x


def _seen(n: int, p: int, mode: str, device: torch.device) -> Tensor:
    """The index of the pixel that is seen at each place from -p to n + p - 1."""
    place = torch.arange(-p, n + p, device=device)
    if mode == "circular":
        return place % n
    if mode == "replicate":
        return place.clamp(0, n - 1)
    return (n - 1) - ((n - 1) - place.abs()).abs()  # reflect


class _Products(torch.autograd.Function):
    """Products of kernels (N, U, F) and the windows (N, F, M) of images (R, G, C/G, H, W, B), plus a bias (N, U, 1).

    ``order`` is that of the dimensions (R, G, C/G, H', W', k1, k2, B) in the windows. The windows are kept for the backward
    pass, in which their own gradient takes their place in memory: it is made once.
    """

    @staticmethod
    def forward(ctx: Any, *arguments: Any) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, kernels, bias, ctx.window, ctx.order, number = arguments
        ctx.x = x.shape, x.stride()
        seen = _seen_by_units(x, ctx.window).permute(ctx.order)
        seen = seen.clone(memory_format=torch.contiguous_format)  # also of windows of one pixel, which are the image itself
        ctx.seen = seen.shape
        columns = seen.view(number, kernels.shape[2], -1)
        ctx.save_for_backward(kernels)
        ctx.columns = columns  # not saved as tensors are: the backward pass overwrites it
        return torch.bmm(kernels, columns) if bias is None else torch.baddbmm(bias, kernels, columns)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        (grad,), (kernels,), columns = grads, ctx.saved_tensors, ctx.columns
        grad = grad.contiguous()
        in_x, in_kernels, in_bias = ctx.needs_input_grad[:3]
        of_kernels = products_in_parts(grad, columns, _parts(grad)) if in_kernels else None
        of_bias = grad.sum(2, keepdim=True) if in_bias else None
        of_x = None
        if in_x:
            torch.bmm(kernels.transpose(1, 2), grad, out=columns)
            of_x = _folded(columns.view(ctx.seen), ctx)
        ctx.columns = None
        return of_x, of_kernels, of_bias, None, None, None


def _parts(x: Tensor) -> int:
    """Into how many parts sums over the last dimension are cut."""
    return math.gcd(x.shape[-1], PARTS) if x.is_cuda and x.shape[-1] >= LONG else 1


def products_in_parts(a: Tensor, b: Tensor, parts: int) -> Tensor:
    """Multiply ``a`` (N, U, M) with the transpose of ``b`` (N, F, M), in sums over M that are cut into parts: (N, U, F).

    A GPU computes each block of a product on one of its multiprocessors. Where N, U and F are small and M is large,
    most of them would have nothing to do.
    """
    if parts == 1:
        return torch.bmm(a, b.transpose(1, 2))
    cut = (parts, a.shape[2] // parts)
    return torch.einsum("nupm,nfpm->npuf", a.unflatten(2, cut), b.unflatten(2, cut)).sum(1)


def _seen_by_units(x: Tensor, window: Window) -> Tensor:
    """The windows as a view of the bordered image: (R, G, C/G, H', W', k1, k2, B)."""
    padded = _with_zeros(x, window)
    *outer, last = padded.stride()
    lead = x.dim() - 1 - window.dims
    outer, space = outer[:lead], outer[lead:]
    units = [s * step for s, step in zip(window.stride, space, strict=True)]
    taps = [d * step for d, step in zip(window.dilation, space, strict=True)]
    shape = (*x.shape[:lead], *window.output, *window.kernel, x.shape[-1])
    return padded.as_strided(shape, (*outer, *units, *taps, last), padded.storage_offset())


def _folded(columns: Tensor, ctx: Any) -> Tensor:
    """The gradient in the image from that in its windows: what each tap has seen is added where it has seen it."""
    window, order, (shape, strides) = ctx.window, ctx.order, ctx.x
    lead, d = len(shape) - 1 - window.dims, window.dims
    seen = [columns.permute([order.index(i) for i in range(len(order))])]  # (R, G, C/G, H', W', k1, k2, B)
    for _ in range(d):
        seen = [part for each in seen for part in each.unbind(lead + d)]  # by tap: (R, G, C/G, H', W', B)
    borders = _borders(window)
    padded = _empty(columns, _padded_shape(shape, borders), strides).zero_()
    for taps, each in zip(product(*map(range, window.kernel)), seen, strict=True):
        padded[(..., *window.tap(taps), slice(None))].add_(each)
    return padded[(..., *(slice(p, p + n) for p, n in zip(borders, shape[lead:-1], strict=True)), slice(None))]


def _borders(window: Window) -> Size:
    return window.padding if window.padding_mode == "zeros" else (0,) * window.dims


def _padded_shape(shape: torch.Size, borders: Size) -> list[int]:
    lead = len(shape) - 1 - len(borders)
    return [*shape[:lead], *(n + 2 * p for n, p in zip(shape[lead:-1], borders, strict=True)), shape[-1]]


def _empty(like: Tensor, shape: list[int], strides: tuple[int, ...]) -> Tensor:
    """An empty tensor of ``shape`` with its dimensions in memory in the order of ``strides``, but the batch innermost."""
    order = [*sorted(range(len(shape) - 1), key=lambda dim: -strides[dim]), len(shape) - 1]
    made = like.new_empty([shape[dim] for dim in order])
    return made.permute([order.index(dim) for dim in range(len(shape))])


def _with_zeros(x: Tensor, window: Window) -> Tensor:
    """``x`` with a border of zeros if it has one, and with the batch innermost in memory."""
    borders = _borders(window)
    if not any(borders):
        return x if x.stride(-1) == 1 else x.contiguous()
    padded = _empty(x, _padded_shape(x.shape, borders), x.stride())
    inside = (..., *(slice(p, p + n) for p, n in zip(borders, x.shape[-1 - window.dims : -1], strict=True)), slice(None))
    padded.zero_()[inside] = x
    return padded
