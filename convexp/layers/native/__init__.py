"""The locally connected layer on a CPU in C, where the machine has a compiler: ``batched_gemm`` without the copies.

The functions, their results and the memory layouts are those of ``batched_gemm``, in float32, for batches of at least
``SMALLEST_BATCH`` images, which fill the vectors of a processor. The windows of units are read where they lie in the padded
image, through tables of offsets, so that nothing is unfolded, and products are made in registers, as the library's are not that
torch calls for each unit.

``kernels.c`` is compiled for this processor when it is first needed (``build``). Results differ from those of the other
algorithms in the last bits, and are the same whatever the number of threads.
"""

import ctypes
import math
from typing import Any

import torch
from torch import Tensor

from convexp.geometry import Size
from convexp.layers.algorithms import Operation
from convexp.layers.call_geometry import Geometry
from convexp.layers.layout import batch_last, new_image, new_weight, stored
from convexp.layers.native.build import library
from convexp.layers.native.places import places, turned

SMALLEST_BATCH = 16
RUN = 16
"""From so many channels of a group on, a weight gradient's vectors are of channels, not of images, which are to be summed."""
SUMMED, LONG = 2, 96
"""Up to so many channels, or from so many images on, summing is worth it: of more and shorter sums the algorithms in Python are
faster."""
WORTH_A_THREAD = 1_000_000
"""Multiply-adds, or values that are copied."""


def supports(operation: Operation, x: Tensor, other: Tensor, g: Geometry) -> bool:
    """Return whether the kernels take these operands, and are the fastest for them."""
    slow = operation == "weight_gradient" and SUMMED < g.group_channels < RUN and g.batch < LONG
    return not slow and fits(x, g.batch) and other.dtype == x.dtype and other.device == x.device


def fits(x: Tensor, batch: int) -> bool:
    """Return whether the kernels take an image of so large a batch."""
    taken = x.dtype == torch.float32 and x.device.type == "cpu" and batch >= SMALLEST_BATCH
    return taken and library() is not None


def _call(name: str, *arguments: Tensor | int | None) -> None:
    made: list[Any] = [
        ctypes.c_int64(each) if isinstance(each, int) else None if each is None else ctypes.c_void_p(each.data_ptr())
        for each in arguments
    ]
    getattr(library(), name)(*made)


def _threads(work: int) -> int:
    """As many as torch uses, and as ``work`` is worth."""
    return max(1, min(torch.get_num_threads(), work // WORTH_A_THREAD))


def _threads_of(g: Geometry) -> int:
    return _threads(g.batch * math.prod(g.weight_shape))


def _padded(x: Tensor, size: Size, padding: Size) -> Tensor:
    """(B, C, H, W) with its border of zeros, as (Hp, Wp, C, B) in memory."""
    image, batch, channels = batch_last(x), x.shape[0], x.shape[1]
    if not any(padding) and image.is_contiguous():
        return image
    outer = tuple(n + 2 * p for n, p in zip(size, padding, strict=True))
    made = (x.new_zeros if any(padding) else x.new_empty)((*outer, channels, batch))
    if x.is_contiguous() and not image.is_contiguous():
        begin, to = turned(channels, size, padding, batch)
        steps = (x.stride(0), channels * batch, batch, size[-1])
        _call("transpose", x, made, begin, to, *steps, len(begin), _threads(x.numel()))
    else:
        made[tuple(slice(p, p + n) for p, n in zip(padding, size, strict=True))].copy_(image)
    return made


def _units(y: Tensor) -> Tensor:
    """(B, O, H', W') as (H', W', O, B) in memory."""
    return _padded(y, tuple(y.shape[2:]), (0,) * (y.dim() - 2))


def forward(x: Tensor, weight: Tensor, bias: Tensor | None, g: Geometry) -> Tensor:
    """Apply the layer, as ``batched_gemm.forward``: x (B, C, H, W) to (B, O, H', W'), stored as (H', W', O, B)."""
    out, tables = new_image(x, (g.batch, g.out_channels, *g.output_size)), places(g)
    image, kernels = _padded(x, g.input_size, g.padding), stored(weight, len(g.input_size))
    if bias is not None:
        bias = bias.expand(g.out_channels, *g.output_size).movedim(0, -1).contiguous()
    sizes = (len(tables.at), g.unit_channels, g.taps, g.batch)
    _call("forward", image, kernels, bias, out, tables.at, tables.tap, tables.output, *sizes, _threads_of(g))
    return out


def weight_gradient(grad: Tensor, x: Tensor, g: Geometry) -> Tensor:
    """Return the gradient in the weight, (H', W', O, C/G, k1, k2) stored as weights, as ``batched_gemm.weight_gradient``."""
    made, tables = new_weight(x, g.weight_shape), places(g)
    upstream, image = _units(grad), _padded(x, g.input_size, g.padding)
    sizes = (len(tables.at), g.unit_channels, g.taps)
    if g.group_channels < RUN:
        _call("weight_gradient", upstream, image, made, tables.at, tables.tap, *sizes, g.batch, _threads_of(g))
        return made
    operands = (upstream, _channels_last(image, g), made, tables.at, tables.run, tables.place, tables.weight)
    _call("weight_gradient_by_runs", *operands, *sizes, g.group_channels, g.batch, _threads_of(g))
    return made


def _channels_last(image: Tensor, g: Geometry) -> Tensor:
    """(Hp, Wp, C, B) as (Hp, Wp, G, B, C/G) in memory."""
    made = torch.empty_like(image)
    begin = torch.arange(0, image.numel(), g.group_channels * g.batch)
    sizes = (g.batch, g.group_channels, g.group_channels, g.batch)
    _call("transpose", image, made, begin, begin, *sizes, len(begin), _threads(image.numel()))
    return made


def input_gradient(grad: Tensor, weight: Tensor, g: Geometry) -> Tensor:
    """Return the gradient in x, (B, C, H, W) stored as (H, W, C, B), as ``batched_gemm.input_gradient``."""
    tables, upstream, kernels = places(g), _units(grad), stored(weight, len(g.input_size))
    image = grad.new_zeros((*g.padded_size, g.in_channels, g.batch))
    sizes = (len(tables.at), g.unit_channels, g.taps, g.batch)
    _call("input_gradient", upstream, kernels, image, tables.at, tables.tap, tables.output, *sizes, _threads_of(g))
    made = new_image(grad, (g.batch, g.in_channels, *g.input_size))
    batch_last(made).copy_(image[tuple(slice(p, p + n) for p, n in zip(g.padding, g.input_size, strict=True))])
    return made
