"""The locally connected layer in plain torch for small batches: every window unfolded, one batched product for all locations.

The weights of a locally connected layer are as many as its multiply-adds per image, so that a small batch is bound by reading
them. They are read once and in the order in which they lie, as the matrix (O, K) of a unit with K = C*k1*k2; the windows are
turned to it instead, (B, K), a copy that is B/O as large as the weights.

For this copy an image is stored as (batch, groups, columns, rows, channels): the window of a unit is then k2 runs of k1*C
values. The input gradient adds its windows (B, K) to an image stored likewise. Units whose windows share no row are added at
once, one kernel column at a time, so that no two of an addition write to the same place.

Locations are treated in blocks of the first dimension, so that the windows of a block stay in the cache.
"""

import math
from collections.abc import Iterator
from itertools import product

import torch
from torch import Tensor

from convexp.layers.call_geometry import Geometry
from convexp.layers.layout import batch_last, new_image, new_weight, stored

BLOCK = 1 << 17
"""Values of the windows of one block: half a mebibyte in float32, of a core's own cache of one or two."""


def _blocks(g: Geometry) -> Iterator[slice]:
    """Yield slices of the first dimension of the output whose windows are at most ``BLOCK`` values, or one row of units."""
    row = math.prod(g.output_size[1:]) * g.groups * g.batch * g.taps
    step = max(1, BLOCK // max(row, 1))
    for start in range(0, g.output_size[0], step):
        yield slice(start, min(start + step, g.output_size[0]))


def _new_padded(like: Tensor, g: Geometry) -> Tensor:
    """Zeros as (H + 2p, W + 2p, G, B, C/G) that lie in memory as (B, G, W + 2p, H + 2p, C/G)."""
    lead = len(g.kernel_size) - 1
    made = like.new_zeros(g.batch, g.groups, g.padded_size[-1], *g.padded_size[:-1], g.group_channels)
    return made.permute(*range(3, 3 + lead), 2, 1, 0, 3 + lead)


def _interior(g: Geometry) -> tuple[slice, ...]:
    return tuple(slice(p, p + i) for p, i in zip(g.padding, g.input_size, strict=True))


def _grouped(x: Tensor, g: Geometry) -> Tensor:
    """(B, C, H, W) as (H, W, G, B, C/G), a view."""
    return batch_last(x).unflatten(-2, (g.groups, -1)).transpose(-1, -2)


def _padded(x: Tensor, g: Geometry) -> Tensor:
    made = _new_padded(x, g)
    made[_interior(g)] = _grouped(x, g)
    return made


def _windows(padded: Tensor, g: Geometry, block: slice) -> Tensor:
    """The windows of a block of units, (L, B, K) with L = locations times groups, copied."""
    *pixel, group, image, channel = padded.stride()
    size = (block.stop - block.start, *g.output_size[1:])
    between = [s * p for s, p in zip(g.stride, pixel, strict=True)]
    taps = [d * p for d, p in zip(g.dilation, pixel, strict=True)]
    shape = (*size, g.groups, g.batch, g.kernel_size[-1], *g.kernel_size[:-1], g.group_channels)
    strides = (*between, group, image, taps[-1], *taps[:-1], channel)
    return padded.as_strided(shape, strides, block.start * between[0]).reshape(-1, g.batch, g.taps)


def _units(values: Tensor, g: Geometry) -> Tensor:
    """``(H', W', O, ...)`` by units, (H', W'*G, O/G, ...)."""
    units = math.prod(g.output_size[1:]) * g.groups
    return values.reshape(g.output_size[0], units, g.unit_channels, *values.shape[len(g.output_size) + 1 :])


def _kernels(weight: Tensor, g: Geometry) -> Tensor:
    """The kernels by units, (H', W'*G, O/G, K)."""
    return _units(stored(weight, len(g.input_size)).flatten(len(g.input_size) + 1), g)


def forward(x: Tensor, weight: Tensor, bias: Tensor | None, g: Geometry) -> Tensor:
    """Apply the layer, as ``batched_gemm.forward``: x (B, C, H, W) to (B, O, H', W'), stored as (H', W', O, B)."""
    out = new_image(x, (g.batch, g.out_channels, *g.output_size))
    units, kernels, padded = _units(batch_last(out), g), _kernels(weight, g), _padded(x, g)
    for block in _blocks(g):
        windows = _windows(padded, g, block)
        torch.bmm(kernels[block].flatten(0, 1), windows.transpose(1, 2), out=units[block].flatten(0, 1))
    return out if bias is None else out.add_(bias)


def weight_gradient(grad: Tensor, x: Tensor, g: Geometry) -> Tensor:
    """Return the gradient in the weight, (H', W', O, C/G, k1, k2) stored as weights, as ``batched_gemm.weight_gradient``."""
    made = new_weight(x, g.weight_shape)
    kernels, upstream, padded = _kernels(made, g), _units(batch_last(grad), g), _padded(x, g)
    for block in _blocks(g):
        windows = _windows(padded, g, block)
        if g.batch == 1 and x.dtype.itemsize > 2:  # an outer product, which is no sum
            torch.mul(upstream[block].flatten(0, 1), windows, out=kernels[block].flatten(0, 1))
        else:
            torch.bmm(upstream[block].flatten(0, 1), windows, out=kernels[block].flatten(0, 1))
    return made


def input_gradient(grad: Tensor, weight: Tensor, g: Geometry) -> Tensor:
    """Return the gradient in x, (B, C, H, W) stored as (H, W, C, B), as ``batched_gemm.input_gradient``."""
    kernels = _kernels(weight, g)
    upstream = _units(batch_last(grad), g).transpose(-1, -2).contiguous()  # (H', W'*G, B, O/G)
    found = _new_padded(grad, g)
    for block in _blocks(g):
        _add_windows(found, torch.bmm(upstream[block].flatten(0, 1), kernels[block].flatten(0, 1)), g, block)
    image = new_image(grad, (g.batch, g.in_channels, *g.input_size))
    _grouped(image, g).copy_(found[_interior(g)])
    return image


def _add_windows(padded: Tensor, windows: Tensor, g: Geometry, block: slice) -> None:
    """Add the windows (L, B, K) of a block of units to the pixels that they see."""
    lead = len(g.kernel_size) - 1
    *pixel, group, image, channel = padded.stride()
    size = (block.stop - block.start, *g.output_size[1:])
    columns = windows.view(*size, g.groups, g.batch, g.kernel_size[-1], *g.kernel_size[:-1], g.group_channels)
    apart = [units_apart(g, dim) for dim in range(lead)]
    for first in product(*map(range, apart)):
        part = columns[tuple(slice(i, None, step) for i, step in zip(first, apart, strict=True))]
        between = [s * p * n for s, p, n in zip(g.stride, pixel, (*apart, 1), strict=True)]
        taps = [d * p for d, p in zip(g.dilation, pixel, strict=True)]
        corner = block.start * g.stride[0] * pixel[0] + sum(i * s * p for i, s, p in zip(first, g.stride, pixel, strict=False))
        for b in range(g.kernel_size[-1]):
            term = part.select(lead + 3, b)
            seen = padded.as_strided(term.shape, (*between, group, image, *taps[:-1], channel), corner + b * taps[-1])
            seen.add_(term)


def units_apart(g: Geometry, dim: int) -> int:
    """How many units along one dimension from one to the next whose windows share no pixel."""
    return -(-(g.dilation[dim] * (g.kernel_size[dim] - 1) + 1) // g.stride[dim])
