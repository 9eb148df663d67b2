"""What the kernels in C know of a layer: its sizes, and tables of offsets, which tell where windows lie in a padded image."""

import ctypes
import math
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from convexp.geometry import Size
from convexp.layers.call_geometry import Geometry
from convexp.layers.layout import new_image, new_weight

BLOCK = 8192
"""Weights of 16 bits, or outputs, of a unit that are widened at a time, if not a few rows are more: caches keep them."""

TOGETHER = 1024
"""The same of several units: the fastest of the caches keeps them."""

LINE = 16
"""Floats of a line of a cache."""

FEWEST = 8
"""Outputs of which weights are widened together, at least."""


class Picture(ctypes.Structure):
    """``picture`` of ``images.h``: an input or an output; it has three dimensions, of which the first may be 1."""

    _fields_ = (
        ("batch", ctypes.c_int64),
        ("groups", ctypes.c_int64),
        ("channels", ctypes.c_int64),
        ("size", ctypes.c_int64 * 3),
        ("border", ctypes.c_int64 * 3),
    )


class Layer(ctypes.Structure):
    """``layer`` of ``kernels.c``. Units are locations times groups, N = H'*W'*G, as in the output.

    Attributes:
        input: The image, (B, C, H, W).
        output: The output, (B, O, H', W').
        units: N.
        outputs: Of a unit, O/G.
        taps: Inputs of a unit, K.
        runs: Of channels among these, k2*k1.
        rows: Outputs of which weights are widened together: of one unit, or all of several.
        addresses: Of ``tables``.
        tables: Offsets in numbers of values, int64. In the image (Hp, Wp, C, B), of the window of each unit, (N,), and of each
            input of a window in the order of the weights of a unit, (k2, k1, C/G), (K,). In the image with the channels of a
            group innermost, (Hp, Wp, G, B, C/G), of each tap of a window, (k2*k1,), and of the images of a batch, (B,). In the
            output, of the outputs of a unit, (O/G,). In the weights of a unit, of its outputs; in windows that are copied, of
            the images of a batch: (max(O/G, B),).
        address: Of this.
        dims: Of an image.
        weights: Of the layer.
        input_layout, output_layout, weight_layout: Shape and strides of an input, an output and a weight as they are made.
        input_values, output_values: Of the padded images of a batch, and of its outputs, in whole lines of a cache.
    """

    _fields_ = (
        ("input", Picture),
        ("output", Picture),
        ("units", ctypes.c_int64),
        ("outputs", ctypes.c_int64),
        ("taps", ctypes.c_int64),
        ("runs", ctypes.c_int64),
        ("rows", ctypes.c_int64),
        ("addresses", ctypes.c_void_p * 7),
    )

    def __init__(self, g: Geometry) -> None:
        row = max(g.taps, g.batch)
        few = min(g.unit_channels, max(FEWEST, BLOCK // row // FEWEST * FEWEST))
        rows = few if few < g.unit_channels else max(1, TOGETHER // (row * few)) * few
        self.tables = _tables(g)
        super().__init__(
            Picture(g.batch, g.groups, g.group_channels, _three(g.input_size, 1), _three(g.padding, 0)),
            Picture(g.batch, g.groups, g.unit_channels, _three(g.output_size, 1), (0, 0, 0)),
            len(self.tables[0]),
            g.unit_channels,
            g.taps,
            g.taps // g.group_channels,
            rows,
            tuple(table.data_ptr() for table in self.tables),
        )
        nothing = torch.empty(0, device="meta")
        self.address, self.dims, self.weights = ctypes.addressof(self), len(g.input_size), math.prod(g.weight_shape)
        self.input_layout = _layout(new_image(nothing, (g.batch, g.in_channels, *g.input_size)))
        self.output_layout = _layout(new_image(nothing, (g.batch, g.out_channels, *g.output_size)))
        self.weight_layout = _layout(new_weight(nothing, g.weight_shape))
        self.input_values = rounded_up(g.batch * g.in_channels * math.prod(g.padded_size))
        self.output_values = rounded_up(g.batch * g.out_channels * math.prod(g.output_size))


places = lru_cache(maxsize=256)(Layer)


def rounded_up(values: int) -> int:
    """Return so many floats as whole lines of a cache have."""
    return -(-values // LINE) * LINE


def _layout(tensor: Tensor) -> tuple[Size, Size]:
    return tuple(tensor.shape), tensor.stride()


def _three(sizes: Size, missing: int) -> Size:
    return (*(missing for _ in range(3 - len(sizes))), *sizes)


def _tables(g: Geometry) -> tuple[Tensor, ...]:
    pixels = [math.prod(g.padded_size[dim + 1 :]) * g.in_channels * g.batch for dim in range(len(g.padded_size))]
    between = (s * pixel for s, pixel in zip(g.stride, pixels, strict=True))
    *rows, column = ((k, d * pixel) for k, d, pixel in zip(g.kernel_size, g.dilation, pixels, strict=True))
    kernel, apart = zip(column, *rows, strict=True)
    return (
        _offsets((*g.output_size, g.groups), (*between, g.group_channels * g.batch)),
        _offsets((*kernel, g.group_channels), (*apart, g.batch)),
        _offsets(kernel, apart),
        torch.arange(g.batch) * g.group_channels,
        torch.arange(g.unit_channels) * g.batch,
        torch.arange(max(g.unit_channels, g.batch)) * g.taps,
        _offsets((*kernel, g.group_channels), (*apart, g.batch * g.groups)),
    )


def _offsets(size: Sequence[int], distances: Sequence[int]) -> Tensor:
    """``sum_d i_d distances[d]`` for all indices i of an array of ``size``, in row-major order."""
    made = torch.zeros(1, dtype=torch.int64)
    for n, distance in zip(size, distances, strict=True):
        made = (made[:, None] + torch.arange(n) * distance).flatten()
    return made
