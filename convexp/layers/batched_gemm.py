"""The locally connected layer in plain torch: a batched matrix product for every row of units, with the batch innermost.

A unit's output is one small matrix product: its kernels (O, K) times the windows that it sees in the whole batch (K, B), K =
C*k1*k2. Stored as (rows, columns, channels, batch), an image has these windows almost ready: interleave the k1 rows that one
row of units sees, ``row[column, a, c, b]``, and the window of each unit is a contiguous run of it. So for every row of units k1
rows are copied (never k1*k2), which stay in the cache, and one batched product with overlapping windows as strided views does
the rest. The two gradients are the transposed products of the same operands; windows are computed again rather than saved.

In addition to operands and results, in the type that it is given (``by_shape`` may give it float32 copies of 16-bit operands),
this takes one padded copy of the input and one such row; a weight that is not stored as weights are is copied whole, and so is,
before it is padded, a large batch of images that does not lie with the batch innermost.
A row of units is all units along the last dimension, in one, two or three dimensions; ``T = k1*C`` are the taps of one kernel
column. It works on every device.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from convexp.layers.call_geometry import Geometry
from convexp.layers.layout import batch_last, new_image, new_weight, stored

LARGE_BATCH, LARGE_IMAGES = 64, 1 << 21
"""Images, and values of all of them (more than caches hold), from which a transposition of the batch as one matrix, which torch
does in blocks, is faster than a strided copy."""


def _interior(g: Geometry) -> tuple[slice, ...]:
    return tuple(slice(p, p + i) for p, i in zip(g.padding, g.input_size, strict=True))


def _turned(x: Tensor) -> Tensor:
    """(B, C, H, W) as (H, W, C, B), a view; but a large batch that lies image by image is transposed first, as one matrix."""
    if x.shape[0] < LARGE_BATCH or x.numel() < LARGE_IMAGES or not x.is_contiguous():
        return batch_last(x)
    return x.flatten(1).t().contiguous().view(*x.shape[1:], -1).movedim(0, -2)


def _padded(x: Tensor, g: Geometry) -> Tensor:
    x = _turned(x)
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


def _kernels(weight: Tensor, g: Geometry) -> tuple[Tensor, ...]:
    """The kernels of every row of units, (W'*G, O/G, K)."""
    shape = (*g.output_size[:-1], g.row_units, g.unit_channels, g.taps)
    return _by_row(stored(weight, len(g.input_size)).view(shape), g)


def _upstream(grad: Tensor, g: Geometry) -> Iterator[Tensor]:
    """The gradients of every row of units, (W'*G, O/G, B), brought into this order one row at a time."""
    for row in _by_row(batch_last(grad), g):
        yield row.contiguous().view(g.row_units, g.unit_channels, g.batch)


def forward(x: Tensor, weight: Tensor, bias: Tensor | None, g: Geometry) -> Tensor:
    """Apply the layer: ``y[b,o,i,j] = bias[o,i,j] + sum_{c,a,b'} weight[i,j,o,c,a,b'] x[b, c, s*i + d*a - p, s*j + d*b' - p]``.

    What lies outside the image is zero. The result (B, O, H', W') lies in memory as (H', W', O, B).
    """
    out = new_image(x, (g.batch, g.out_channels, *g.output_size))
    rows = _by_row(batch_last(out).view(*g.output_size[:-1], g.row_units, g.unit_channels, g.batch), g)
    if bias is None:
        for row, kernels, windows in zip(rows, _kernels(weight, g), _windows(x, g), strict=True):
            torch.bmm(kernels, windows, out=row)
        return out
    offsets = batch_last(bias.expand(1, -1, *g.output_size)).reshape(*g.output_size[:-1], g.row_units, g.unit_channels, 1)
    operands = (_by_row(offsets, g), _kernels(weight, g), _windows(x, g))
    for row, offset, kernels, windows in zip(rows, *operands, strict=True):
        torch.baddbmm(offset, kernels, windows, out=row)
    return out


def weight_gradient(grad: Tensor, x: Tensor, g: Geometry) -> Tensor:
    """Return the gradient of ``sum(grad * forward(x, weight))`` in weight: (H', W', O, C/G, k1, k2), stored as weights."""
    made = new_weight(x, g.weight_shape)
    kernels = _kernels(made, g)
    for row, upstream, windows in zip(kernels, _upstream(grad, g), _windows(x, g), strict=True):
        torch.bmm(upstream, windows.transpose(1, 2), out=row)
    return made


def input_gradient(grad: Tensor, weight: Tensor, g: Geometry) -> Tensor:
    """Return the gradient of ``sum(grad * forward(x, weight))`` in x: (B, C, H, W) that lies in memory as (H, W, C, B).

    Kernel columns are added one at a time, so that no two units write to the same place. They are multiplied one at a time too,
    unless such products are so small that torch would compute them in loops. Columns of the input are stored in ``stride``
    phases: those that one kernel column meets are then next to each other.
    """
    if math.prod(g.kernel_size) == math.prod(g.stride) == 1 and not any(g.padding):
        return _input_gradient_of_pixels(grad, weight, g)
    lead, stride = len(g.kernel_size) - 1, g.stride[-1]
    phases = -(-g.padded_size[-1] // stride)
    found = grad.new_zeros(*g.padded_size[:-1], stride, phases, g.groups, g.group_channels, g.batch)
    row = grad.new_empty(stride, phases, g.groups, *g.kernel_size[:-1], g.group_channels, g.batch)
    spread = row.permute(*range(3, 3 + lead), 0, 1, 2, 3 + lead, 4 + lead)  # (k1, s, W/s, G, C/G, B)
    met: list[Tensor] = []  # for each kernel column, the input columns that it meets: (W'*G, T, B)
    for b in range(g.kernel_size[-1]):
        place, phase = divmod(b * g.dilation[-1], stride)
        met.append(row[phase, place : place + g.output_size[-1]].view(g.row_units, g.row_taps, g.batch))
    for sees, upstream, kernel in zip(g.sees(), _upstream(grad, g), _kernels(weight, g), strict=True):
        row.zero_()
        if g.columns_together:
            windows = torch.bmm(kernel.transpose(1, 2), upstream)
            for columns, part in zip(met, windows.split(g.row_taps, 1), strict=True):
                columns.add_(part)
        else:
            for columns, part in zip(met, kernel.split(g.row_taps, 2), strict=True):
                columns.baddbmm_(part.transpose(1, 2), upstream)
        found[sees].add_(spread)
    found = found.flatten(-3, -2).transpose(lead, lead + 1).flatten(lead, lead + 1)  # (H + 2p, W + 2p or a little more, C, B)
    image = new_image(grad, (g.batch, g.in_channels, *g.input_size))
    batch_last(image).copy_(found[_interior(g)])
    return image


def _input_gradient_of_pixels(grad: Tensor, weight: Tensor, g: Geometry) -> Tensor:
    """The input gradient where every unit sees one pixel and every pixel is seen by one: the products are the image."""
    image = new_image(grad, (g.batch, g.in_channels, *g.input_size))
    rows = _by_row(batch_last(image).view(*g.output_size[:-1], g.row_units, g.group_channels, g.batch), g)
    for row, upstream, kernels in zip(rows, _upstream(grad, g), _kernels(weight, g), strict=True):
        torch.bmm(kernels.transpose(1, 2), upstream, out=row)
    return image
