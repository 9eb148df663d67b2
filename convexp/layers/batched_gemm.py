"""The locally connected layer in plain torch, row by row, batch innermost.

A unit's output is one small matrix product: its kernels (O, K) times the windows it sees in the whole batch (K, B), K =
C*k1*k2. Kept as (rows, columns, channels, batch), an image has these windows almost ready: interleave the k1 rows that one row
of units sees, ``row[column, a, c, b]``, and the window of each unit is a contiguous run of it. So for every row of units k1
rows are copied (never k1*k2), small enough for the cache, and one batched product with overlapping windows as strided views
does the rest. The two gradients are the transposed products of the same operands; windows are made again rather than kept.

Above operands and results it needs one padded copy of the input and one such row. "Row" is all units along the last dimension,
in one, two or three dimensions; ``T = k1*C`` are the taps of one kernel column. Works on every device.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from convexp.geometry import Size


@dataclass(frozen=True)
class Geometry:
    """Sizes of one call: x (B, C, *input_size), weight (*output_size, O, C/groups, *kernel_size), y (B, O, *output_size)."""

    batch: int
    in_channels: int
    out_channels: int
    input_size: Size
    output_size: Size
    kernel_size: Size
    stride: Size
    padding: Size
    dilation: Size
    groups: int

    @property
    def padded_size(self) -> Size:
        """Input with its border."""
        return tuple(i + 2 * p for i, p in zip(self.input_size, self.padding, strict=True))

    @property
    def group_channels(self) -> int:
        """C/G: inputs of one matrix product, at one tap."""
        return self.in_channels // self.groups

    @property
    def row_taps(self) -> int:
        """T: inputs under one column of a kernel."""
        return math.prod(self.kernel_size[:-1]) * self.group_channels

    @property
    def taps(self) -> int:
        """K: inputs of one unit."""
        return self.kernel_size[-1] * self.row_taps

    @property
    def weight_shape(self) -> Size:
        """(H', W', O, C/G, k1, k2)."""
        return (*self.output_size, self.out_channels, self.group_channels, *self.kernel_size)

    @property
    def unit_channels(self) -> int:
        """O/G: outputs of one matrix product."""
        return self.out_channels // self.groups

    @property
    def row_units(self) -> int:
        """Matrix products in one row: locations times groups."""
        return self.output_size[-1] * self.groups

    def sees(self) -> Iterator[tuple[slice, ...]]:
        """Which rows of the padded input every row of units sees, in order."""
        for index in product(*(range(n) for n in self.output_size[:-1])):
            yield tuple(
                slice(s * i, s * i + d * (k - 1) + 1, d)
                for i, s, d, k in zip(index, self.stride, self.dilation, self.kernel_size, strict=False)
            )


def batch_last(x: Tensor) -> Tensor:
    """``(B, C, H, W) -> (H, W, C, B)``, a view."""
    return x.permute(*range(2, x.dim()), 1, 0)


def batch_first(x: Tensor) -> Tensor:
    """``(H, W, C, B) -> (B, C, H, W)``, a view."""
    return x.permute(-1, -2, *range(x.dim() - 2))


def stored_order(dims: int) -> list[int]:
    """Dimensions of (H', W', O, C, k1, k2) in the order in which weights lie in memory: (H', W', O, k2, k1, C)."""
    return [*range(dims + 1), 2 * dims + 1, *range(dims + 2, 2 * dims + 1), dims + 1]


def literature_order(dims: int) -> list[int]:
    """The inverse of ``stored_order``."""
    order = stored_order(dims)
    return [order.index(i) for i in range(len(order))]


def stored(weight: Tensor, dims: int) -> Tensor:
    """A weight as it lies in memory, (H', W', O, k2, k1, C); copied only if it lies otherwise."""
    return weight.permute(stored_order(dims)).contiguous()


def new_weight(like: Tensor, shape: Sequence[int]) -> Tensor:
    """An empty weight of ``shape`` (H', W', O, C, k1, k2), stored as weights are."""
    return _empty(like, shape, stored_order((len(shape) - 2) // 2))


def new_image(like: Tensor, shape: Sequence[int]) -> Tensor:
    """An empty image of ``shape`` (B, C, H, W), batch innermost."""
    return _empty(like, shape, [*range(2, len(shape)), 1, 0])


def _empty(like: Tensor, shape: Sequence[int], order: list[int]) -> Tensor:
    """Dimensions in ``order`` in memory; no view of another tensor, so that it may be changed in place like any result."""
    strides, step = [0] * len(shape), 1
    for dim in reversed(order):
        strides[dim] = step
        step *= max(shape[dim], 1)
    return like.new_empty_strided(tuple(shape), strides)


def _interior(g: Geometry) -> tuple[slice, ...]:
    return tuple(slice(p, p + i) for p, i in zip(g.padding, g.input_size, strict=True))


def _padded(x: Tensor, g: Geometry) -> Tensor:
    x = batch_last(x)
    if not any(g.padding):
        return x.contiguous()
    padded = x.new_zeros(*g.padded_size, g.in_channels, g.batch)
    padded[_interior(g)] = x
    return padded  # (H + 2p, W + 2p, C, B)


def _windows(x: Tensor, g: Geometry) -> Iterator[Tensor]:
    """The windows of every row of units, (W'*G, k2*T, B), in one buffer; a view wherever windows are contiguous."""
    padded = _padded(x, g).unflatten(-2, (g.groups, g.group_channels))  # (H, W, G, C/G, B)
    lead = len(g.kernel_size) - 1
    interleave = [lead, lead + 1, *range(lead), lead + 2, lead + 3]
    unit = g.row_taps * g.batch
    column = g.groups * unit
    shape = (g.output_size[-1], g.groups, g.kernel_size[-1], g.row_taps, g.batch)
    steps = (g.stride[-1] * column, unit, g.dilation[-1] * column, g.batch, 1)
    if math.prod(g.kernel_size[:-1]) == 1:  # a row is already in place
        for sees in g.sees():
            row = padded[sees]
            yield row.as_strided(shape, steps, row.storage_offset()).reshape(g.row_units, g.taps, g.batch)
        return
    row = x.new_empty(g.padded_size[-1], g.groups, *g.kernel_size[:-1], g.group_channels, g.batch)
    windows = row.as_strided(shape, steps)  # (W', G, k2, T, B)
    for sees in g.sees():
        row.copy_(padded[sees].permute(interleave))
        yield windows.reshape(g.row_units, g.taps, g.batch)


def _by_row(values: Tensor, g: Geometry) -> tuple[Tensor, ...]:
    """``(H', W', ...)`` cut into rows of units."""
    lead = len(g.output_size) - 1
    return values.flatten(0, lead - 1).unbind(0) if lead else (values,)


def _kernels(weight: Tensor, g: Geometry, *taps: int) -> tuple[Tensor, ...]:
    """The kernels of every row of units, (W'*G, O/G, *taps)."""
    shape = (*g.output_size[:-1], g.row_units, g.unit_channels, *taps)
    return _by_row(stored(weight, len(g.input_size)).view(shape), g)


def _upstream(grad: Tensor, g: Geometry) -> Iterator[Tensor]:
    """The gradients of every row of units, (W'*G, O/G, B), brought into this order one row at a time."""
    for row in _by_row(batch_last(grad), g):
        yield row.contiguous().view(g.row_units, g.unit_channels, g.batch)


def forward(x: Tensor, weight: Tensor, bias: Tensor | None, g: Geometry) -> Tensor:
    """``y[b,o,i,j] = bias[o,i,j] + sum_{c,a,b'} weight[i,j,o,c,a,b'] x[b, c, s*i + d*a - p, s*j + d*b' - p]``, zeros outside.

    Returns (B, O, H', W') that lies in memory as (H', W', O, B).
    """
    out = new_image(x, (g.batch, g.out_channels, *g.output_size))
    rows = _by_row(batch_last(out).view(*g.output_size[:-1], g.row_units, g.unit_channels, g.batch), g)
    if bias is None:
        for row, kernels, windows in zip(rows, _kernels(weight, g, g.taps), _windows(x, g), strict=True):
            torch.bmm(kernels, windows, out=row)
        return out
    offsets = batch_last(bias.expand(1, -1, *g.output_size)).reshape(*g.output_size[:-1], g.row_units, g.unit_channels, 1)
    operands = (_by_row(offsets, g), _kernels(weight, g, g.taps), _windows(x, g))
    for row, offset, kernels, windows in zip(rows, *operands, strict=True):
        torch.baddbmm(offset, kernels, windows, out=row)
    return out


def weight_gradient(grad: Tensor, x: Tensor, g: Geometry) -> Tensor:
    """Gradient of ``sum(grad * forward(x, weight))`` in the weight: (H', W', O, C/G, k1, k2), stored as weights are."""
    made = new_weight(x, g.weight_shape)
    kernels = _kernels(made, g, g.taps)
    for row, upstream, windows in zip(kernels, _upstream(grad, g), _windows(x, g), strict=True):
        torch.bmm(upstream, windows.transpose(1, 2), out=row)
    return made


def input_gradient(grad: Tensor, weight: Tensor, g: Geometry) -> Tensor:
    """Gradient of ``sum(grad * forward(x, weight))`` in x: (B, C, H, W) that lies in memory as (H, W, C, B).

    One kernel column at a time, so that no two units of a product write to the same place. Columns of the input are kept
    in ``stride`` phases: those that one kernel column meets are then next to each other.
    """
    lead, stride = len(g.kernel_size) - 1, g.stride[-1]
    phases = -(-g.padded_size[-1] // stride)
    found = grad.new_zeros(*g.padded_size[:-1], stride, phases, g.groups, g.group_channels, g.batch)
    row = grad.new_empty(stride, phases, g.groups, *g.kernel_size[:-1], g.group_channels, g.batch)
    spread = row.permute(*range(3, 3 + lead), 0, 1, 2, 3 + lead, 4 + lead)  # (k1, s, W/s, G, C/G, B)
    met: list[Tensor] = []  # of each kernel column, the input columns it meets: (W'*G, T, B)
    for b in range(g.kernel_size[-1]):
        place, phase = divmod(b * g.dilation[-1], stride)
        met.append(row[phase, place : place + g.output_size[-1]].view(g.row_units, g.row_taps, g.batch))
    kernels = _kernels(weight, g, g.kernel_size[-1], g.row_taps)
    for sees, upstream, kernel in zip(g.sees(), _upstream(grad, g), kernels, strict=True):
        row.zero_()
        for columns, part in zip(met, kernel.unbind(2), strict=True):
            columns.baddbmm_(part.transpose(1, 2), upstream)
        found[sees].add_(spread)
    found = found.flatten(-3, -2).transpose(lead, lead + 1).flatten(lead, lead + 1)  # (H + 2p, W + 2p or a little more, C, B)
    image = new_image(grad, (g.batch, g.in_channels, *g.input_size))
    batch_last(image).copy_(found[_interior(g)])
    return image


def geometry(
    x_shape: Sequence[int], weight_shape: Sequence[int], stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int]
) -> Geometry:
    """Sizes from the shapes of x (B, C, H, W) and weight (H', W', O, C/G, k1, k2)."""
    dims = len(x_shape) - 2
    return Geometry(
        batch=x_shape[0],
        in_channels=x_shape[1],
        out_channels=weight_shape[dims],
        input_size=tuple(x_shape[2:]),
        output_size=tuple(weight_shape[:dims]),
        kernel_size=tuple(weight_shape[dims + 2 :]),
        stride=tuple(stride),
        padding=tuple(padding),
        dilation=tuple(dilation),
        groups=x_shape[1] // weight_shape[dims + 1],
    )
