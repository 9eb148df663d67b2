"""The forward pass as a Triton kernel."""

import math

from torch import Tensor

from convexp.layers import layout
from convexp.layers.call_geometry import Geometry
from convexp.layers.triton_local.indexing import add_product, place_at, program_index, seen_input
from convexp.layers.triton_local.launch import launch
from convexp.layers.triton_local.runtime import constexpr, tensor, tl
from convexp.layers.triton_local.tiles import Kernel, shape_in_3d


def forward(x: Tensor, weight: Tensor, bias: Tensor | None, g: Geometry) -> Tensor:
    """Do as ``batched_gemm.forward``: (B, O, H', W') that lies in memory as (H', W', O, B)."""
    out = layout.new_image(x, (g.batch, g.out_channels, *g.output_size))
    steps = (0, 0, 0, 0)
    if bias is not None:
        strides = bias.expand(g.out_channels, *g.output_size).stride()
        steps = (strides[0], *(0 for _ in range(4 - len(strides))), *strides[1:])
    if out.numel():
        tensors = (layout.batch_last(x).contiguous(), layout.stored(weight, len(g.input_size)), bias, out, g.batch)
        extents = (g.unit_channels, g.batch, g.taps)
        launch(_forward, tensors, shape_in_3d(g), math.prod(g.output_size), extents, bias_steps=steps)
    return out


@Kernel
def _forward(
    x: tensor, weight: tensor, bias: tensor, y: tensor, batch: tensor, bias_steps: constexpr,
    g: constexpr, precision: constexpr, extents: constexpr, tile: constexpr,  # noqa: ARG001  extents: tiles are chosen by it
) -> None:  # fmt: skip
    """A tile (outputs, batch) of one unit: its kernels (outputs, taps) times what it sees (taps, batch)."""
    rows: constexpr = tile.m
    columns: constexpr = tile.n
    step: constexpr = tile.k
    taps: constexpr = g.kernel[0] * g.kernel[1] * g.kernel[2] * g.inputs
    unit, group, i, j = program_index(tl.cdiv(g.outputs, rows), tl.cdiv(batch, columns), g.groups)
    o = i * rows + tl.arange(0, rows)
    b = j * columns + tl.arange(0, columns)
    out = (unit.to(tl.int64) * g.groups + group) * g.outputs + o
    real_o, real_b = (o < g.outputs)[:, None], (b < batch)[None, :]
    total = tl.zeros((rows, columns), tl.float32)
    for start in range(0, taps, step):
        k = start + tl.arange(0, step)
        seen, inside = seen_input(unit, group, k, g)
        w = tl.load(weight + out[:, None] * taps + k[None, :], real_o & (k < taps)[None, :], 0.0)
        v = tl.load(x + seen[:, None] * batch + b[None, :], inside[:, None] & real_b, 0.0)
        total = add_product(total, w, v, precision)
    if bias is not None:
        z, r, c = place_at(unit, g.output[1], g.output[2])
        at = (group * g.outputs + o) * bias_steps[0] + z * bias_steps[1] + r * bias_steps[2] + c * bias_steps[3]
        total += tl.load(bias + at, o < g.outputs, 0.0).to(tl.float32)[:, None]
    tl.store(y + out[:, None] * batch + b[None, :], total.to(y.dtype.element_ty), real_o & real_b)
