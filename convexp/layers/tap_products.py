"""The locally connected layer in plain torch for few channels in a group (depthwise): tap by tap, without a matrix product.

A unit's matrix product of (O/G, K) and (K, B) with O/G and C/G near one is too small to be worth a call. Here one tap of all
units of a block is treated at once: the image, shifted to the tap, times the weights of the tap, added to the output. Images
are stored with the batch innermost, so that a weight meets a contiguous run of images. Nothing is padded: of every tap only
those units are treated that see a pixel there.

Locations are treated in blocks of the first dimension, so that the operands of a block stay in the cache for all taps. Sums of
16-bit types are made in float32 and rounded once.
"""

import math
from collections.abc import Iterator
from itertools import product

import torch
from torch import Tensor

from convexp.geometry import Size
from convexp.layers.call_geometry import Geometry
from convexp.layers.layout import batch_last, new_image, new_weight, stored

BLOCK = 1 << 16
"""Values of the output, or of the input if these are more, of one block: a quarter of a mebibyte in float32."""

Index = tuple[slice, ...]


def _blocks(g: Geometry) -> Iterator[slice]:
    """Yield slices of the first dimension of the output of at most ``BLOCK`` values, or one row of units."""
    row = math.prod(g.output_size[1:]) * g.groups * g.batch * max(g.unit_channels, g.group_channels)
    step = max(1, BLOCK // max(row, 1))
    for start in range(0, g.output_size[0], step):
        yield slice(start, min(start + step, g.output_size[0]))


def _taps(g: Geometry, block: slice) -> Iterator[tuple[int, Index, Index]]:
    """Yield for every tap its number, the units of a block that see a pixel there, and these pixels, as indices.

    Taps are numbered as they lie in memory: columns, then rows.
    """
    *lead, last = (range(k) for k in g.kernel_size)
    for number, (column, *rows) in enumerate(product(last, *lead)):
        units, pixels = zip(*(_meeting(g, dim, tap, block) for dim, tap in enumerate((*rows, column))), strict=True)
        if all(u.start < u.stop for u in units):
            yield number, units, pixels


def _meeting(g: Geometry, dim: int, tap: int, block: slice) -> tuple[slice, slice]:
    """Return along one dimension the units that see a pixel at ``tap``, and these pixels."""
    step, shift = g.stride[dim], g.dilation[dim] * tap - g.padding[dim]  # unit i sees pixel step * i + shift
    first, end = (block.start, block.stop) if dim == 0 else (0, g.output_size[dim])
    first = max(first, -(shift // step))
    end = max(first, min(end, (g.input_size[dim] - 1 - shift) // step + 1))
    start = step * first + shift
    return slice(first, end), slice(start, start + step * (end - first - 1) + 1, step)


def _wide(dtype: torch.dtype) -> torch.dtype:
    """Return the type in which sums are made."""
    return torch.float32 if dtype.itemsize == 2 else dtype


def _grouped(x: Tensor, g: Geometry) -> Tensor:
    """(B, C, H, W) as (H, W, G, C/G, B), a view."""
    return batch_last(x).unflatten(-2, (g.groups, -1))


def _operand(x: Tensor, g: Geometry) -> Tensor:
    """(B, C, H, W) as (H, W, G, C/G, B), so in memory and in the type of the sums."""
    return _grouped(x, g).to(_wide(x.dtype)).contiguous()


def _kernels(weight: Tensor, g: Geometry) -> Tensor:
    """The kernels, (H', W', G, O/G, K, C/G) with the taps K as they lie in memory."""
    size: Size = (*g.output_size, g.groups, g.unit_channels, math.prod(g.kernel_size), g.group_channels)
    return stored(weight, len(g.input_size)).view(size)


def forward(x: Tensor, weight: Tensor, bias: Tensor | None, g: Geometry) -> Tensor:
    """Apply the layer, as ``batched_gemm.forward``: x (B, C, H, W) to (B, O, H', W'), stored as (H', W', O, B)."""
    out = new_image(x, (g.batch, g.out_channels, *g.output_size))
    made, image, kernels = _grouped(out, g), _operand(x, g), _kernels(weight, g).to(_wide(x.dtype)).unsqueeze(-1)
    offset = None if bias is None else _grouped(bias.expand(1, g.out_channels, *g.output_size), g)
    for block in _blocks(g):
        sums = made[block] if made.dtype == image.dtype else torch.empty_like(made[block], dtype=image.dtype)
        sums[...] = 0 if offset is None else offset[block]
        for tap, units, pixels in _taps(g, block):
            seeing = sums[(slice(units[0].start - block.start, units[0].stop - block.start), *units[1:])]
            for c in range(g.group_channels):
                seeing.addcmul_(kernels[units][..., tap, c, :], image[pixels][..., c : c + 1, :])
        if sums.dtype != made.dtype:
            made[block] = sums
    return out


def weight_gradient(grad: Tensor, x: Tensor, g: Geometry) -> Tensor:
    """Return the gradient in the weight, (H', W', O, C/G, k1, k2) stored as weights, as ``batched_gemm.weight_gradient``."""
    made = new_weight(x, g.weight_shape)
    image, upstream = _operand(x, g), _operand(grad, g)
    kernels = _kernels(made, g).zero_()
    for block in _blocks(g):
        for tap, units, pixels in _taps(g, block):
            for c in range(g.group_channels):
                kernels[units][..., tap, c] = (upstream[units] * image[pixels][..., c : c + 1, :]).sum(-1)
    return made


def input_gradient(grad: Tensor, weight: Tensor, g: Geometry) -> Tensor:
    """Return the gradient in x, (B, C, H, W) stored as (H, W, C, B), as ``batched_gemm.input_gradient``."""
    image = new_image(grad, (g.batch, g.in_channels, *g.input_size))
    upstream, kernels = _operand(grad, g), _kernels(weight, g).to(_wide(grad.dtype)).unsqueeze(-1)
    sums = _grouped(image, g) if image.dtype == upstream.dtype else torch.empty_like(_grouped(image, g), dtype=upstream.dtype)
    sums.zero_()
    for block in _blocks(g):
        for tap, units, pixels in _taps(g, block):
            for o in range(g.unit_channels):
                sums[pixels].addcmul_(kernels[units][..., o, tap, :, :], upstream[units][..., o : o + 1, :])
    if image.dtype != sums.dtype:
        _grouped(image, g).copy_(sums)
    return image
