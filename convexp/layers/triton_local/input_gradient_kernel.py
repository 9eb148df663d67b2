"""The gradient with respect to the input as a Triton kernel."""

import math
from typing import Any

from torch import Tensor

from convexp.layers import layout
from convexp.layers.call_geometry import Geometry
from convexp.layers.triton_local.indexing import add_product, place_at, program_index
from convexp.layers.triton_local.launch import launch
from convexp.layers.triton_local.runtime import constexpr, jit, tensor, tl
from convexp.layers.triton_local.tiles import Kernel, shape_in_3d


def input_gradient(grad: Tensor, weight: Tensor, g: Geometry) -> Tensor:
    """Do as ``batched_gemm.input_gradient``: (B, C, H, W) that lies in memory as (H, W, C, B)."""
    found = layout.new_image(grad, (g.batch, g.in_channels, *g.input_size))
    if found.numel():
        shape = shape_in_3d(g)
        tensors = (layout.batch_last(grad).contiguous(), layout.stored(weight, len(g.input_size)), found, g.batch)
        extents = (shape.inputs, g.batch, math.prod(shape.reach) * shape.outputs)
        launch(_input_gradient, tensors, shape, math.prod(g.input_size), extents)
    return found


@jit
def _first_tap(position: tensor, g: constexpr, axis: constexpr) -> Any:
    """The first tap that meets a position of the padded input: ``position = s * unit + d * tap``; none: beyond the last."""
    beyond: constexpr = g.kernel[axis]
    phases: constexpr = g.step[axis]
    first = beyond
    for tap in tl.static_range(phases):
        first = tl.where((position - g.dilation[axis] * tap) % g.stride[axis] == 0, tap, first)
    return first


@jit
def _seer(position: tensor, tap: tensor, g: constexpr, axis: constexpr) -> Any:
    """Which unit sees a position of the padded input with this tap, and whether there is one."""
    start = position - g.dilation[axis] * tap
    unit = start // g.stride[axis]
    return unit, (tap < g.kernel[axis]) & (start >= 0) & (unit < g.output[axis])


@Kernel
def _input_gradient(
    grad: tensor, weight: tensor, found: tensor, batch: tensor,
    g: constexpr, precision: constexpr, extents: constexpr, tile: constexpr,  # noqa: ARG001  extents: tiles are chosen by it
) -> None:  # fmt: skip
    """A tile (inputs, batch) of one pixel: the kernels that see it (inputs, pairs) times their gradients (pairs, batch)."""
    rows: constexpr = tile.m
    columns: constexpr = tile.n
    step: constexpr = tile.k
    taps: constexpr = g.kernel[0] * g.kernel[1] * g.kernel[2] * g.inputs
    pairs: constexpr = g.reach[0] * g.reach[1] * g.reach[2] * g.outputs
    pixel, group, i, j = program_index(tl.cdiv(g.inputs, rows), tl.cdiv(batch, columns), g.groups)
    c = i * rows + tl.arange(0, rows)
    b = j * columns + tl.arange(0, columns)
    z, y, x = place_at(pixel, g.input[1], g.input[2])
    z, y, x = z + g.padding[0], y + g.padding[1], x + g.padding[2]
    first_z, first_y, first_x = _first_tap(z, g, 0), _first_tap(y, g, 1), _first_tap(x, g, 2)
    total = tl.zeros((rows, columns), tl.float32)
    for start in range(0, pairs, step):
        pair = start + tl.arange(0, step)
        tap_z, tap_y, tap_x = place_at(pair // g.outputs, g.reach[1], g.reach[2])
        tap_z, tap_y, tap_x = first_z + tap_z * g.step[0], first_y + tap_y * g.step[1], first_x + tap_x * g.step[2]
        unit_z, valid_z = _seer(z, tap_z, g, 0)
        unit_y, valid_y = _seer(y, tap_y, g, 1)
        unit_x, valid_x = _seer(x, tap_x, g, 2)
        valid = valid_z & valid_y & valid_x
        unit = (unit_z * g.output[1] + unit_y) * g.output[2] + unit_x
        out = (unit.to(tl.int64) * g.groups + group) * g.outputs + pair % g.outputs
        tap = (tap_x * g.kernel[0] + tap_z) * g.kernel[1] + tap_y
        at = weight + (out * taps + tap * g.inputs)[:, None] + c[None, :]
        w = tl.load(at, valid[:, None] & (c < g.inputs)[None, :], 0.0)
        u = tl.load(grad + out[:, None] * batch + b[None, :], valid[:, None] & (b < batch)[None, :], 0.0)
        total = add_product(total, tl.trans(w), u, precision)
    at = found + ((pixel.to(tl.int64) * g.groups + group) * g.inputs + c)[:, None] * batch + b[None, :]
    tl.store(at, total.to(found.dtype.element_ty), (c < g.inputs)[:, None] & (b < batch)[None, :])
