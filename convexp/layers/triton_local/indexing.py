"""Functions that all three kernels call on the device: which part a program computes, and what a tap sees.

In the kernels ``g`` is a ``Shape``; x is (D, H, W, C, B), y (D', H', W', O, B) and weight (D', H', W', O, k3, k1, k2, C/G), all
contiguous. Fields of a constant lose this quality in Triton before 3.7 and get it back where a name is annotated as constexpr.
Places are counted in 32 bits, elements in 64.
"""

from typing import Any

from convexp.layers.triton_local.runtime import constexpr, jit, tensor, tl


@jit
def program_index(rows: tensor, columns: tensor, groups: tensor) -> Any:
    """(place, group, row tile, column tile) of this program; programs that share operands are neighbours, for the cache."""
    i = tl.program_id(0)
    return i // (columns * rows * groups), i // (columns * rows) % groups, i // columns % rows, i % columns


@jit
def place_at(index: tensor, height: constexpr, width: constexpr) -> Any:
    """(depth, row, column) of the index-th place of an image."""
    return index // (height * width), index // width % height, index % width


@jit
def seen_input(unit: tensor, group: tensor, k: tensor, g: constexpr) -> Any:
    """Which input the k-th taps of a unit see, as an index into (D, H, W, C), and whether there is one."""
    tap, channel = k // g.inputs, group * g.inputs + k % g.inputs
    a, b, c = tap // g.kernel[1] % g.kernel[0], tap % g.kernel[1], tap // (g.kernel[0] * g.kernel[1])
    z, y, x = place_at(unit, g.output[1], g.output[2])
    z = z * g.stride[0] - g.padding[0] + a * g.dilation[0]
    y = y * g.stride[1] - g.padding[1] + b * g.dilation[1]
    x = x * g.stride[2] - g.padding[2] + c * g.dilation[2]
    inside = (z >= 0) & (z < g.input[0]) & (y >= 0) & (y < g.input[1]) & (x >= 0) & (x < g.input[2]) & (c < g.kernel[2])
    pixel = (z * g.input[1] + y) * g.input[2] + x
    return pixel.to(tl.int64) * (g.groups * g.inputs) + channel, inside


@jit
def add_product(total: tensor, left: tensor, right: tensor, precision: constexpr) -> Any:
    """``total + left @ right``."""
    if precision == "widened":
        return tl.dot(left.to(tl.float32), right.to(tl.float32), total, input_precision="ieee")
    else:  # noqa: RET505  a branch of the compiler
        return tl.dot(left, right, total, input_precision=precision)
