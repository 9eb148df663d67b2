"""The gradient with respect to the weight as a Triton kernel."""

import math

from torch import Tensor

from convexp.layers import layout
from convexp.layers.call_geometry import Geometry
from convexp.layers.triton_local.indexing import add_product, program_index, seen_input
from convexp.layers.triton_local.launch import launch
from convexp.layers.triton_local.runtime import constexpr, tensor, tl
from convexp.layers.triton_local.tiles import Kernel, shape_in_3d


def weight_gradient(grad: Tensor, x: Tensor, g: Geometry) -> Tensor:
    """Do as ``batched_gemm.weight_gradient``: (H', W', O, C/G, k1, k2), stored as weights are."""
    made = layout.new_weight(x, g.weight_shape)
    tensors = (layout.batch_last(grad).contiguous(), layout.batch_last(x).contiguous(), made, g.batch)
    launch(_weight_gradient, tensors, shape_in_3d(g), math.prod(g.output_size), (g.unit_channels, g.taps, g.batch))
    return made


@Kernel
def _weight_gradient(
    grad: tensor, x: tensor, made: tensor, batch: tensor,
    g: constexpr, precision: constexpr, extents: constexpr, tile: constexpr,  # noqa: ARG001  extents: tiles are chosen by it
) -> None:  # fmt: skip
    """A tile (outputs, taps) of one unit: its gradients (outputs, batch) times what it sees (batch, taps)."""
    rows: constexpr = tile.m
    columns: constexpr = tile.n
    step: constexpr = tile.k
    taps: constexpr = g.kernel[0] * g.kernel[1] * g.kernel[2] * g.inputs
    unit, group, i, j = program_index(tl.cdiv(g.outputs, rows), tl.cdiv(taps, columns), g.groups)
    o = i * rows + tl.arange(0, rows)
    k = j * columns + tl.arange(0, columns)
    out = (unit.to(tl.int64) * g.groups + group) * g.outputs + o
    seen, inside = seen_input(unit, group, k, g)
    total = tl.zeros((rows, columns), tl.float32)
    for start in range(0, batch, step):
        b = start + tl.arange(0, step)
        u = tl.load(grad + out[:, None] * batch + b[None, :], (o < g.outputs)[:, None] & (b < batch)[None, :], 0.0)
        v = tl.load(x + seen[:, None] * batch + b[None, :], inside[:, None] & (b < batch)[None, :], 0.0)
        total = add_product(total, u, tl.trans(v), precision)
    at = made + out[:, None] * taps + k[None, :]
    tl.store(at, total.to(made.dtype.element_ty), (o < g.outputs)[:, None] & (k < taps)[None, :])
