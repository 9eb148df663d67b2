"""The locally connected layer in plain torch for small batches: every window unfolded, one batched product for all locations.

The weights of a locally connected layer are as many as its multiply-adds per image, so that a small batch is bound by reading
them. They are read once and in the order in which they lie, as the matrix (O, K) of a unit with K = C*k1*k2; the windows are
turned to it instead, (B, K), a copy that is B/O as large as the weights.

For this copy an image is stored as (batch, groups, columns, rows, channels): the window of a unit is then k2 runs of k1*C
values. The input gradient adds its windows (B, K) to an image stored likewise. Units whose windows share no row are added at
once, one kernel column at a time, so that no two of an addition write to the same place.

Locations are treated in blocks of the first dimension, so that the windows of a block stay in the cache.

With one image of a small layer, calls of torch cost more than what they compute. So they are few, and where things lie is
worked out once for every geometry.
"""

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor

from convexp.geometry import Size
from convexp.layers.call_geometry import Geometry
from convexp.layers.layout import batch_last, new_image, new_weight, stored_order

BLOCK = 1 << 17
"""Values of the windows of one block: half a mebibyte in float32, of a core's own cache of one or two."""

FOLDED = 2
"""Channels of a group up to which ``torch.nn.functional.fold`` adds the windows of a single block: of more, runs are longer."""

TURNED_OUTPUTS, TURNED_WEIGHTS = 16, 1 << 20
"""From so many outputs of a unit, and up to so many weights (which a cache then holds), a product is faster with the outputs
innermost, as (B, O), than with the few images of a batch, as (O, B)."""


class View(NamedTuple):
    """Where a view lies in a tensor: the arguments of ``Tensor.as_strided``."""

    size: Size
    stride: Size
    offset: int


class Block(NamedTuple):
    """Some rows of units, the first dimension of the output.

    Attributes:
        units: Their numbers, of all N = H'*W'*G.
        windows: Their windows in the padded image, (rows, W', G, B, k2, k1, C/G).
        meetings: Parts of a copy of the windows, and the pixels that they see: together all windows, and in none of these pairs
            is a pixel seen twice.
    """

    units: slice
    windows: View
    meetings: tuple[tuple[View, View], ...]


class Places(NamedTuple):
    """Where everything lies in a padded image.

    Attributes:
        size: Of the padded image, (B, G, W + 2p, H + 2p, C/G).
        image: The image itself, (B, G, C/G, H, W).
        blocks: Blocks of units whose windows are at most ``BLOCK`` values, or one row of units.
    """

    size: Size
    image: View
    blocks: tuple[Block, ...]


@lru_cache(maxsize=1024)
def _places(g: Geometry) -> Places:
    size = (g.batch, g.groups, g.padded_size[-1], *g.padded_size[:-1], g.group_channels)
    image, group, last, *lead, channel = _contiguous(size)
    pixel = (*lead, last)
    corner = sum(p * s for p, s in zip(g.padding, pixel, strict=True))
    interior = View((*size[:2], g.group_channels, *g.input_size), (image, group, channel, *pixel), corner)
    between = tuple(s * p for s, p in zip(g.stride, pixel, strict=True))
    *taps, column = (d * p for d, p in zip(g.dilation, pixel, strict=True))
    strides = (*between, group, image, column, *taps, channel)
    row = math.prod(g.output_size[1:]) * g.groups
    step = max(1, BLOCK // max(row * g.batch * g.taps, 1))
    blocks: list[Block] = []
    for start in range(0, g.output_size[0], step):
        rows = min(step, g.output_size[0] - start)
        sizes = (rows, *g.output_size[1:], g.groups, g.batch, g.kernel_size[-1], *g.kernel_size[:-1], g.group_channels)
        windows = View(sizes, strides, start * between[0])
        blocks.append(Block(slice(start * row, (start + rows) * row), windows, tuple(_meetings(windows, g))))
    return Places(size, interior, tuple(blocks))


def _contiguous(size: Size) -> Size:
    """The strides of a contiguous tensor."""
    return tuple(math.prod(size[i + 1 :]) for i in range(len(size)))


def _meetings(windows: View, g: Geometry) -> Iterator[tuple[View, View]]:
    """Yield parts of windows with one kernel column, and of every dimension but the last units that share no pixel."""
    lead = len(g.kernel_size) - 1
    copied = View(windows.size, _contiguous(windows.size), 0)
    apart = [units_apart(g, dim) for dim in range(lead)]
    for *first, column in product(
        *(range(min(a, n)) for a, n in zip(apart, windows.size, strict=False)), range(g.kernel_size[-1])
    ):
        size = [-(-(n - i) // a) for n, i, a in zip(windows.size, first, apart, strict=False)]
        copy, pixels = (
            View(
                (*size, *windows.size[lead : lead + 3], *windows.size[lead + 4 :]),
                (*(s * a for s, a in zip(strides, apart, strict=False)), *strides[lead : lead + 3], *strides[lead + 4 :]),
                offset + sum(i * s for i, s in zip(first, strides, strict=False)) + column * strides[lead + 3],
            )
            for _, strides, offset in (copied, windows)
        )
        yield copy, pixels


def units_apart(g: Geometry, dim: int) -> int:
    """How many units along one dimension from one to the next whose windows share no pixel."""
    return -(-(g.dilation[dim] * (g.kernel_size[dim] - 1) + 1) // g.stride[dim])


def _padded(x: Tensor, g: Geometry) -> Tensor:
    """(B, C, H, W) with its border of zeros, as (B, G, W + 2p, H + 2p, C/G)."""
    size, image, _ = _places(g)
    made = x.new_zeros(size)
    made.as_strided(*image).copy_(_grouped(x, g))
    return made


def _grouped(x: Tensor, g: Geometry) -> Tensor:
    """(B, C, H, W) as (B, G, C/G, H, W), a view."""
    return x.view(g.batch, g.groups, g.group_channels, *g.input_size)


def _windows(padded: Tensor, block: Block, g: Geometry) -> Tensor:
    """The windows of a block of units, (n, B, K), copied."""
    return padded.as_strided(*block.windows).reshape(-1, g.batch, g.taps)


def _units(image: Tensor, g: Geometry) -> Tensor:
    """(B, O, H', W') by units, (N, O/G, B); a view if the batch is innermost."""
    return batch_last(image).reshape(-1, g.unit_channels, g.batch)


def _kernels(weight: Tensor, g: Geometry) -> Tensor:
    """The kernels by units, (N, O/G, K); a view if the weight is stored as weights are."""
    return weight.permute(stored_order(len(g.input_size))).reshape(-1, g.unit_channels, g.taps)


def forward(x: Tensor, weight: Tensor, bias: Tensor | None, g: Geometry) -> Tensor:
    """Apply the layer, as ``batched_gemm.forward``: x (B, C, H, W) to (B, O, H', W'), stored as (H', W', O, B)."""
    out = new_image(x, (g.batch, g.out_channels, *g.output_size))
    units, kernels, padded = _units(out, g), _kernels(weight, g), _padded(x, g)
    turned = g.unit_channels >= TURNED_OUTPUTS and weight.numel() <= TURNED_WEIGHTS
    for block in _places(g).blocks:
        windows, kernel, unit = _windows(padded, block, g), kernels[block.units], units[block.units]
        if turned:
            unit.transpose(1, 2).copy_(torch.bmm(windows, kernel.transpose(1, 2)))
        else:
            torch.bmm(kernel, windows.transpose(1, 2), out=unit)
    return out if bias is None else out.add_(bias)


def weight_gradient(grad: Tensor, x: Tensor, g: Geometry) -> Tensor:
    """Return the gradient in the weight, (H', W', O, C/G, k1, k2) stored as weights, as ``batched_gemm.weight_gradient``."""
    made = new_weight(x, g.weight_shape)
    kernels, upstream, padded = _kernels(made, g), _units(grad, g), _padded(x, g)
    # An outer product is no sum, and a sum of a few is faster than loops; in 16 bits, each would be rounded.
    outer = x.dtype.itemsize > 2 and (g.batch == 1 or g.looped(g.taps))
    product_of = _sum_of_outer_products if outer else torch.bmm
    for block in _places(g).blocks:
        product_of(upstream[block.units], _windows(padded, block, g), out=kernels[block.units])
    return made


def _sum_of_outer_products(a: Tensor, b: Tensor, out: Tensor) -> None:
    """``out = a b`` for (N, O, B) and (N, B, K), one image after the other."""
    torch.mul(a[:, :, :1], b[:, :1], out=out)
    for image in range(1, b.shape[1]):
        out.addcmul_(a[:, :, image : image + 1], b[:, image : image + 1])


def input_gradient(grad: Tensor, weight: Tensor, g: Geometry) -> Tensor:
    """Return the gradient in x, (B, C, H, W) stored as (H, W, C, B), as ``batched_gemm.input_gradient``."""
    kernels, upstream = _kernels(weight, g), _units(grad, g).transpose(1, 2)  # (N, B, O/G)
    made = new_image(grad, (g.batch, g.in_channels, *g.input_size))
    if folds(g):
        return made.copy_(_folded(torch.bmm(upstream, kernels), g))
    size, image, blocks = _places(g)
    found = grad.new_zeros(size)
    for block in blocks:
        windows = torch.bmm(upstream[block.units], kernels[block.units])
        for part, pixels in block.meetings:
            found.as_strided(*pixels).add_(windows.as_strided(*part))
    _grouped(made, g).copy_(found.as_strided(*image))
    return made


def folds(g: Geometry) -> bool:
    """Return whether the windows of the input gradient are added by ``fold``."""
    return len(g.input_size) == 2 and g.group_channels <= FOLDED and len(_places(g).blocks) == 1


def _folded(windows: Tensor, g: Geometry) -> Tensor:
    """The image (B, C, H, W) to whose pixels the windows (N, B, K) of all units are added."""
    rows, columns = g.kernel_size
    apart = windows.view(-1, g.groups, g.batch, columns, rows, g.group_channels)
    apart = apart.permute(2, 1, 5, 4, 3, 0)  # (B, G, C/G, k1, k2, L)
    unfolded = apart.reshape(g.batch, g.in_channels * rows * columns, -1)
    return torch.ops.aten.col2im(unfolded, g.input_size, g.kernel_size, g.dilation, g.padding, g.stride)
