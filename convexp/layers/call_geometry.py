"""The sizes of one call of a locally connected layer, and what follows from them."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from convexp.geometry import Size

SMALLEST_GEMM = 400
"""Multiply-adds of a matrix product of a batch below which torch computes it in loops of its own, without a library."""


@dataclass(frozen=True)
class Geometry:
    """The sizes of one call of a locally connected layer.

    x is (B, C, *input_size), weight (*output_size, O, C/groups, *kernel_size) and y (B, O, *output_size).
    """

    batch: int
    in_channels: int
    out_channels: int
    input_size: Size
    output_size: Size
    kernel_size: Size
    stride: Size
    padding: Size
    dilation: Size
    groups: int

    @cached_property
    def padded_size(self) -> Size:
        """Size of the input with its border, per dimension, in pixels."""
        return tuple(i + 2 * p for i, p in zip(self.input_size, self.padding, strict=True))

    @cached_property
    def group_channels(self) -> int:
        """Channels of one group of the input, C/G: inputs of one matrix product at one tap."""
        return self.in_channels // self.groups

    @cached_property
    def row_taps(self) -> int:
        """Inputs under one column of a kernel, T = k1*C/G."""
        return math.prod(self.kernel_size[:-1]) * self.group_channels

    @cached_property
    def taps(self) -> int:
        """Inputs of one unit, K = k1*k2*C/G."""
        return self.kernel_size[-1] * self.row_taps

    @cached_property
    def weight_shape(self) -> Size:
        """Shape of the weight: (H', W', O, C/G, k1, k2)."""
        return (*self.output_size, self.out_channels, self.group_channels, *self.kernel_size)

    @cached_property
    def unit_channels(self) -> int:
        """Channels of one group of the output, O/G: outputs of one matrix product."""
        return self.out_channels // self.groups

    @cached_property
    def row_units(self) -> int:
        """Matrix products of one row of units: its locations times the groups."""
        return self.output_size[-1] * self.groups

    def looped(self, taps: int) -> bool:
        """Return whether torch computes a product (O/G, ``taps``) times (``taps``, B) in loops, many times slower."""
        return self.unit_channels * taps * self.batch < SMALLEST_GEMM

    @cached_property
    def columns_together(self) -> bool:
        """Whether the products of one kernel column are looped, but not those of all columns together."""
        return self.looped(self.row_taps) and not self.looped(self.taps)

    def sees(self) -> Iterator[tuple[slice, ...]]:
        """Yield for every row of units, in order, which rows of the padded input it sees, as an index."""
        for index in product(*(range(n) for n in self.output_size[:-1])):
            yield tuple(
                slice(s * i, s * i + d * (k - 1) + 1, d)
                for i, s, d, k in zip(index, self.stride, self.dilation, self.kernel_size, strict=False)
            )


def call_geometry(
    x_shape: Sequence[int], weight_shape: Sequence[int], stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int]
) -> Geometry:
    """Return the geometry of a call from the shapes of x (B, C, H, W) and weight (H', W', O, C/G, k1, k2)."""
    dims = len(x_shape) - 2
    return Geometry(
        batch=x_shape[0],
        in_channels=x_shape[1],
        out_channels=weight_shape[dims],
        input_size=tuple(x_shape[2:]),
        output_size=tuple(weight_shape[:dims]),
        kernel_size=tuple(weight_shape[dims + 2 :]),
        stride=tuple(stride),
        padding=tuple(padding),
        dilation=tuple(dilation),
        groups=x_shape[1] // weight_shape[dims + 1],
    )
