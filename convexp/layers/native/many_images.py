"""The kernels in C for many images, which fill the vectors of a processor."""

import torch
from torch import Tensor

from convexp.layers.call_geometry import Geometry
from convexp.layers.layout import new_image, new_weight, stored
from convexp.layers.native.operands import call, offsets_of, padded, threads, threads_of, units, without_border
from convexp.layers.native.places import places

RUN_OF_CHANNELS = 16
"""From so many channels of a group on, a weight gradient's vectors are of channels, not of images, which are to be summed."""


def forward(x: Tensor, weight: Tensor, bias: Tensor | None, g: Geometry) -> Tensor:
    """Apply the layer, as ``batched_gemm.forward``: x (B, C, H, W) to (B, O, H', W'), stored as (H', W', O, B)."""
    out, tables = new_image(x, (g.batch, g.out_channels, *g.output_size)), places(g)
    image, kernels = padded(x, g.input_size, g.padding), stored(weight, len(g.input_size))
    sizes = (len(tables.at), g.unit_channels, g.taps, g.batch)
    operands = (image, kernels, offsets_of(bias, g), out, tables.at, tables.tap, tables.output)
    call("forward", *operands, *sizes, threads_of(g))
    return out


def weight_gradient(grad: Tensor, x: Tensor, g: Geometry) -> Tensor:
    """Return the gradient in the weight, (H', W', O, C/G, k1, k2) stored as weights, as ``batched_gemm.weight_gradient``."""
    made, tables = new_weight(x, g.weight_shape), places(g)
    upstream, image = units(grad), padded(x, g.input_size, g.padding)
    sizes = (len(tables.at), g.unit_channels, g.taps)
    if g.group_channels < RUN_OF_CHANNELS:
        call("weight_gradient", upstream, image, made, tables.at, tables.tap, *sizes, g.batch, threads_of(g))
        return made
    operands = (upstream, _channels_last(image, g), made, tables.at, tables.run, tables.place, tables.row)
    call("weight_gradient_by_runs", *operands, *sizes, g.group_channels, g.batch, threads_of(g))
    return made


def _channels_last(image: Tensor, g: Geometry) -> Tensor:
    """(Hp, Wp, C, B) as (Hp, Wp, G, B, C/G) in memory."""
    made = torch.empty_like(image)
    begin = torch.arange(0, image.numel(), g.group_channels * g.batch)
    sizes = (g.batch, g.group_channels, g.group_channels, g.batch)
    call("transpose", image, made, begin, begin, *sizes, len(begin), threads(image.numel()))
    return made


def input_gradient(grad: Tensor, weight: Tensor, g: Geometry) -> Tensor:
    """Return the gradient in x, (B, C, H, W) stored as (H, W, C, B), as ``batched_gemm.input_gradient``."""
    tables, upstream, kernels = places(g), units(grad), stored(weight, len(g.input_size))
    image = grad.new_zeros((*g.padded_size, g.in_channels, g.batch))
    sizes = (len(tables.at), g.unit_channels, g.taps, g.batch)
    call("input_gradient", upstream, kernels, image, tables.at, tables.tap, tables.output, *sizes, threads_of(g))
    return without_border(image, g)
