"""The kernels in C for a few images: the inputs of a unit fill the vectors of a processor, and weights are read once.

The windows of one unit at a time are copied, in the order of its weights, beside which that costs little.
"""

import torch
from torch import Tensor

from convexp.layers.call_geometry import Geometry
from convexp.layers.layout import new_image, new_weight, stored
from convexp.layers.native.operands import call, offsets_of, padded, threads_of, units, without_border
from convexp.layers.native.places import places


def forward(x: Tensor, weight: Tensor, bias: Tensor | None, g: Geometry) -> Tensor:
    """Apply the layer, as ``batched_gemm.forward``: x (B, C, H, W) to (B, O, H', W'), stored as (H', W', O, B)."""
    out = new_image(x, (g.batch, g.out_channels, *g.output_size))
    image, kernels = padded(x, g.input_size, g.padding), stored(weight, len(g.input_size))
    _call("forward_of_few", image, kernels, offsets_of(bias, g), out, g=g)
    return out


def weight_gradient(grad: Tensor, x: Tensor, g: Geometry) -> Tensor:
    """Return the gradient in the weight, (H', W', O, C/G, k1, k2) stored as weights, as ``batched_gemm.weight_gradient``."""
    made = new_weight(x, g.weight_shape)
    _call("weight_gradient_of_few", units(grad), padded(x, g.input_size, g.padding), made, g=g)
    return made


def input_gradient(grad: Tensor, weight: Tensor, g: Geometry) -> Tensor:
    """Return the gradient in x, (B, C, H, W) stored as (H, W, C, B), as ``batched_gemm.input_gradient``."""
    image = grad.new_zeros((*g.padded_size, g.in_channels, g.batch))
    _call("input_gradient_of_few", units(grad), stored(weight, len(g.input_size)), image, g=g)
    return without_border(image, g)


def _call(name: str, *operands: Tensor | None, g: Geometry) -> None:
    tables, threads = places(g), threads_of(g)
    windows = torch.empty(threads * g.batch * g.taps)
    sizes = (len(tables.at), g.unit_channels, g.taps, g.batch)
    call(name, *operands, tables.at, tables.tap, tables.row, windows, *sizes, threads)
