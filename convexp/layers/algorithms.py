"""Which algorithm computes a locally connected layer on a CPU: the one that a model of its time says is the fastest.

An algorithm's time is estimated as the sum over a few counts, each times its cost in nanoseconds: calls of torch, units (matrix
products), weights read or written, multiply-adds of large and of small products, and values copied or added. The counts follow
from the geometry; the costs were measured once, by the command that stands beside them. So the choice is a pure
function of the sizes of a call, and of whether there are kernels in C (``native``): the same on every machine, and for every
batch of one size.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, NamedTuple

from convexp.layers import tap_products, unfolded_gemm
from convexp.layers.call_geometry import Geometry
from convexp.layers.native.many_images import RUN_OF_CHANNELS
from convexp.layers.unfolded_gemm import folds, units_apart

Operation = Literal["forward", "weight_gradient", "input_gradient"]
Algorithm = Literal["batched_gemm", "unfolded_gemm", "tap_products", "few_images", "many_images", "many_groups"]

OPERATIONS: tuple[Operation, ...] = ("forward", "weight_gradient", "input_gradient")
ALGORITHMS: tuple[Algorithm, ...] = (
    "batched_gemm",
    "unfolded_gemm",
    "tap_products",
    "few_images",
    "many_images",
    "many_groups",
)
IN_C: tuple[Algorithm, ...] = ("few_images", "many_images", "many_groups")

RUN = 8
"""A run of values that are copied or added costs as if it were so many values longer."""

LARGEST_UNFOLDED_BATCH = 15
"""Largest batch for which windows of more than one block may be unfolded: with 13 or 16 choices are worse
(tests/layers/algorithm_times/)."""

LARGEST_COPIED_BATCH = 32
"""Largest batch for which kernels in C may copy windows or turn weights: with 16 or 128 choices are worse."""

TILE = 16
"""A matrix product of a library costs as if a unit had at least so many outputs, and so many inputs."""

LANES = 16
"""Values of a vector, of which the kernels in C compute whole ones."""


class Counts(NamedTuple):
    """What an algorithm does in one call of an operation.

    Attributes:
        calls: Calls of torch.
        units: Matrix products.
        weights: Weights that are read or written.
        multiply_adds: Multiply-adds of matrix products that a library or a kernel in C computes.
        looped: Multiply-adds of those that torch computes in loops, as they are small; sums of a vector in C.
        values: Values that are copied or added.
    """

    calls: float
    units: float
    weights: float
    multiply_adds: float
    looped: float
    values: float


def counts(algorithm: Algorithm, operation: Operation, g: Geometry) -> Counts:
    """Return what ``algorithm`` does for ``operation``."""
    return _COUNTS[algorithm](operation, g)


def _images(g: Geometry) -> int:
    """Values of the padded input and of the output."""
    return g.batch * (g.in_channels * math.prod(g.padded_size) + g.out_channels * math.prod(g.output_size))


def _weights(g: Geometry) -> int:
    return math.prod(g.weight_shape)


def _windows(g: Geometry) -> int:
    """Values of all windows of a batch."""
    return math.prod(g.output_size) * g.groups * g.taps * g.batch


def _products(g: Geometry, units: int, taps: int) -> tuple[int, int]:
    """Multiply-adds of ``units`` matrix products (O/G, taps) times (taps, B): in a library, by tiles, and in loops."""
    if g.looped(taps):
        return 0, units * g.unit_channels * taps * g.batch
    return units * max(g.unit_channels, TILE) * max(taps, TILE) * g.batch, 0


def _by_rows(operation: Operation, g: Geometry) -> Counts:
    rows, columns = math.prod(g.output_size[:-1]), g.kernel_size[-1]
    units = rows * g.row_units
    seen = 0 if g.row_taps == 1 else rows * g.padded_size[-1] * g.groups * g.row_taps * g.batch
    if operation == "input_gradient":
        calls, products, taps = rows * (columns + 3), units * columns, g.row_taps
        seen *= 2
        if g.columns_together:
            products, taps = units, g.taps
            seen += units * g.taps * g.batch
    else:
        calls, products, taps = rows * 4, units, g.taps
        if g.groups > 1 and columns > 1:  # the windows of a row are copied too
            seen += units * g.taps * g.batch
    return Counts(
        calls, products, _weights(g), *_products(g, products, taps), (_images(g) + seen) * (1 + RUN / max(1, g.batch))
    )


def _unfolded(operation: Operation, g: Geometry) -> Counts:
    units, windows = math.prod(g.output_size) * g.groups, _windows(g)
    run = g.row_taps if all(d == 1 for d in g.dilation[:-1]) and len(g.dilation) < 3 else g.group_channels
    calls = 2 * (1 + windows / unfolded_gemm.BLOCK)
    if operation == "input_gradient" and not folds(g):
        apart = math.prod(units_apart(g, dim) for dim in range(len(g.kernel_size) - 1))
        calls *= (1 + apart * g.kernel_size[-1]) / 2
    values = windows * (1 + RUN / run) + _images(g) * (1 + RUN / g.group_channels)
    return Counts(calls, units, _weights(g), *_products(g, units, g.taps), values)


def _by_taps(operation: Operation, g: Geometry) -> Counts:
    values = g.batch * math.prod(g.output_size) * g.groups * max(g.unit_channels, g.group_channels)
    blocks = min(g.output_size[0], 1 + values / tap_products.BLOCK)
    inner = g.unit_channels if operation == "input_gradient" else g.group_channels
    run = RUN if g.batch > 1 else 0  # with one image a run is not the batch, but all units of a row
    return Counts(
        blocks * g.taps / g.group_channels * inner,
        0,
        _weights(g),
        _weights(g) * (g.batch + run),
        0,
        _images(g),
    )


def _vectors(values: int) -> int:
    """As many values as whole vectors have."""
    return -(-values // LANES) * LANES


def _few_images(operation: Operation, g: Geometry) -> Counts:
    units, images = math.prod(g.output_size) * g.groups, _images(g)
    products = units * g.unit_channels * g.batch
    sums = products if operation == "forward" else 0
    return Counts(1, units, _weights(g), products * _vectors(g.taps), sums, _windows(g) + images)


def _many_images(operation: Operation, g: Geometry) -> Counts:
    units, outputs, images = math.prod(g.output_size) * g.groups, g.unit_channels, _images(g)
    products, sums = _weights(g) * _vectors(g.batch), 0
    if operation == "weight_gradient" and g.group_channels >= RUN_OF_CHANNELS:
        products = units * outputs * (g.taps // g.group_channels) * _vectors(g.group_channels) * g.batch
        images *= 2
    elif operation == "weight_gradient":
        sums = _weights(g)
    elif operation == "input_gradient":
        images += units * g.taps * _vectors(g.batch)
    return Counts(1, units, _weights(g), products, sums, images)


def _many_groups(_: Operation, g: Geometry) -> Counts:
    locations = math.prod(g.output_size)
    products = locations * _vectors(g.groups) * g.unit_channels * g.taps * g.batch
    turned = locations * g.out_channels * g.batch
    return Counts(1, locations * _vectors(g.groups) / LANES, _weights(g), products, 0, _images(g) + turned)


_COUNTS: dict[Algorithm, Callable[[Operation, Geometry], Counts]] = {
    "batched_gemm": _by_rows,
    "unfolded_gemm": _unfolded,
    "tap_products": _by_taps,
    "few_images": _few_images,
    "many_images": _many_images,
    "many_groups": _many_groups,
}

# Nanoseconds of each count in float32, on one thread of an AMD EPYC with AVX-512 (MKL, torch 2.15); for kernels in C an Intel
# Xeon weighs the same: `python scripts/algorithm_costs.py`. Other types were not fitted; the choice is the same for them.
COSTS: dict[Operation, dict[Algorithm, Counts]] = {
    "forward": {
        "batched_gemm": Counts(2800, 0, 0.89, 0.018, 1.5, 0.13),
        "unfolded_gemm": Counts(13000, 39, 0.15, 0.055, 0.54, 0.15),
        "tap_products": Counts(15000, 0, 1.7, 0.11, 0, 0.85),
        "few_images": Counts(9200, 13, 0.074, 0.01, 0.22, 0.32),
        "many_images": Counts(7700, 9.3, 0.068, 0.016, 0, 0.041),
        "many_groups": Counts(2900, 9.4, 0.24, 0.027, 0, 0.18),
    },
    "weight_gradient": {
        "batched_gemm": Counts(3900, 28, 0.3, 0.028, 0.74, 0.14),
        "unfolded_gemm": Counts(12000, 14, 0.17, 0.035, 0.55, 0.2),
        "tap_products": Counts(17000, 0, 2, 0.34, 0, 0.62),
        "few_images": Counts(9800, 11, 0.13, 0.0078, 0, 0.3),
        "many_images": Counts(9000, 12, 0.14, 0.017, 0.38, 0.041),
        "many_groups": Counts(1200, 9.5, 0.31, 0.039, 0, 0.16),
    },
    "input_gradient": {
        "batched_gemm": Counts(3000, 0, 1.1, 0.0081, 3.3, 0.14),
        "unfolded_gemm": Counts(5100, 0, 0.29, 0.031, 1.8, 0.27),
        "tap_products": Counts(17000, 0, 1.6, 0.11, 0, 0.52),
        "few_images": Counts(6800, 11, 0.077, 0.012, 0, 0.31),
        "many_images": Counts(8400, 3.4, 0.037, 0.014, 0, 0.055),
        "many_groups": Counts(5400, 0.55, 0.28, 0.023, 0, 0.3),
    },
}


@lru_cache(maxsize=4096)
def fastest(operation: Operation, g: Geometry, *, in_c: bool, in_python: bool = True) -> Algorithm:
    """Return the algorithm with the lowest estimated time, of those in C and in Python that serve."""
    return min(candidates(g, in_c=in_c, in_python=in_python), key=lambda algorithm: nanoseconds(algorithm, operation, g))


def candidates(g: Geometry, *, in_c: bool, in_python: bool = True) -> tuple[Algorithm, ...]:
    """Return the algorithms that may be the fastest.

    Windows are unfolded if they are few or a batch is small, and copied, and weights turned, for small batches alone; groups
    fill vectors if there are several.
    """
    if not g.batch:
        return ("batched_gemm",)
    left_out: set[Algorithm] = set()
    if g.batch > LARGEST_UNFOLDED_BATCH and _windows(g) > unfolded_gemm.BLOCK:
        left_out.add("unfolded_gemm")
    if g.batch > LARGEST_COPIED_BATCH:
        left_out |= {"few_images", "many_groups"}
    if g.groups == 1:
        left_out.add("many_groups")
    return tuple(each for each in ALGORITHMS if each not in left_out and (in_c if each in IN_C else in_python))


def nanoseconds(algorithm: Algorithm, operation: Operation, g: Geometry) -> float:
    """Return the estimated time of ``algorithm`` for ``operation`` on one core."""
    costs = COSTS[operation][algorithm]
    return sum(cost * count for cost, count in zip(costs, counts(algorithm, operation, g), strict=True))
