"""Which algorithm computes a locally connected layer on a CPU: the one that a linear model of its time says is the fastest.

An algorithm's time is estimated as the sum over a few counts, each times its cost in nanoseconds: calls of torch, units (matrix
products), weights read or written, multiply-adds, and values copied or added. The counts follow from the geometry; the costs
were measured once, by the command that stands beside them. So the choice is a pure function of the sizes of a call: the same on
every machine, and for every batch of one size.
"""

import math
from functools import lru_cache
from typing import Literal, NamedTuple

from convexp.layers import tap_products, unfolded_gemm
from convexp.layers.call_geometry import Geometry
from convexp.layers.unfolded_gemm import units_apart

Operation = Literal["forward", "weight_gradient", "input_gradient"]
Algorithm = Literal["batched_gemm", "unfolded_gemm", "tap_products"]

OPERATIONS: tuple[Operation, ...] = ("forward", "weight_gradient", "input_gradient")
ALGORITHMS: tuple[Algorithm, ...] = ("batched_gemm", "unfolded_gemm", "tap_products")

RUN = 8
"""A run of values that are copied or added costs as if it were so many values longer."""

LARGEST_UNFOLDED_BATCH = 15
"""Largest batch for which windows may be unfolded: with 16 or 24 choices are worse (tests/layers/algorithm_times.json)."""

TILE = (4, 8)
"""A matrix product costs as if it had at least so many outputs and inputs of a unit."""


class Counts(NamedTuple):
    """What an algorithm does in one call of an operation."""

    calls: float
    units: float
    weights: float
    multiply_adds: float
    values: float


def counts(algorithm: Algorithm, operation: Operation, g: Geometry) -> Counts:
    """Return what ``algorithm`` does for ``operation``."""
    return {"batched_gemm": _by_rows, "unfolded_gemm": _unfolded, "tap_products": _by_taps}[algorithm](operation, g)


def _images(g: Geometry) -> int:
    """Values of the padded input and of the output."""
    return g.batch * (g.in_channels * math.prod(g.padded_size) + g.out_channels * math.prod(g.output_size))


def _weights(g: Geometry) -> int:
    return math.prod(g.weight_shape)


def _padded_products(g: Geometry, units: int, taps: int) -> int:
    """Multiply-adds of matrix products (O/G, taps) times (taps, B), with sides below those of a tile taken as a tile's."""
    return units * max(g.unit_channels, TILE[0]) * max(taps, TILE[1]) * g.batch


def _by_rows(operation: Operation, g: Geometry) -> Counts:
    rows, columns = math.prod(g.output_size[:-1]), g.kernel_size[-1]
    units = rows * g.row_units
    seen = 0 if g.row_taps == 1 else rows * g.padded_size[-1] * g.groups * g.row_taps * g.batch
    if operation == "input_gradient":
        calls, products, taps = rows * (columns + 3), units * columns, g.row_taps
        seen *= 2
    else:
        calls, products, taps = rows * 4, units, g.taps
        if g.groups > 1 and columns > 1:  # the windows of a row are copied too
            seen += units * g.taps * g.batch
    multiplied = _padded_products(g, products, taps)
    return Counts(calls, products, _weights(g), multiplied, (_images(g) + seen) * (1 + RUN / max(1, g.batch)))


def _unfolded(operation: Operation, g: Geometry) -> Counts:
    units = math.prod(g.output_size) * g.groups
    windows = units * g.taps * g.batch
    run = g.row_taps if all(d == 1 for d in g.dilation[:-1]) and len(g.dilation) < 3 else g.group_channels
    blocks = 1 + windows / unfolded_gemm.BLOCK
    apart = math.prod(units_apart(g, dim) for dim in range(len(g.kernel_size) - 1))
    calls = blocks * (1 + apart * g.kernel_size[-1] if operation == "input_gradient" else 2)
    values = windows * (1 + RUN / run) + _images(g) * (1 + RUN / g.group_channels)
    return Counts(calls, units, _weights(g), _padded_products(g, units, g.taps), values)


def _by_taps(operation: Operation, g: Geometry) -> Counts:
    values = g.batch * math.prod(g.output_size) * g.groups * max(g.unit_channels, g.group_channels)
    blocks = min(g.output_size[0], 1 + values / tap_products.BLOCK)
    inner = g.unit_channels if operation == "input_gradient" else g.group_channels
    return Counts(
        blocks * g.taps / g.group_channels * inner,
        0,
        _weights(g),
        _weights(g) * (g.batch + RUN),
        _images(g),
    )


# Nanoseconds of each count in float32, by `python scripts/bench_layers.py --fit --rounds 2` (one thread of an AMD EPYC with
# AVX-512, MKL, torch 2.15). The choice is the same for all types; the costs of others were not fitted.
COSTS: dict[Operation, dict[Algorithm, Counts]] = {
    "forward": {
        "batched_gemm": Counts(5000, 0, 1, 0.024, 0.29),
        "unfolded_gemm": Counts(31000, 3.2, 0.2, 0.053, 0.6),
        "tap_products": Counts(21000, 0, 1.2, 0.082, 1),
    },
    "weight_gradient": {
        "batched_gemm": Counts(6300, 36, 0.25, 0.035, 0.3),
        "unfolded_gemm": Counts(14000, 13, 0.23, 0.025, 0.68),
        "tap_products": Counts(34000, 0, 1.1, 0.11, 0.86),
    },
    "input_gradient": {
        "batched_gemm": Counts(5900, 20, 1.3, 0.021, 0.23),
        "unfolded_gemm": Counts(11000, 27, 0.31, 0.03, 0.82),
        "tap_products": Counts(20000, 0, 0.52, 0.078, 0.52),
    },
}


@lru_cache(maxsize=4096)
def fastest(operation: Operation, g: Geometry) -> Algorithm:
    """Return the algorithm with the lowest estimated time."""
    return min(candidates(g), key=lambda algorithm: nanoseconds(algorithm, operation, g))


def candidates(g: Geometry) -> tuple[Algorithm, ...]:
    """Return the algorithms that may be the fastest: windows are unfolded for small batches alone."""
    if not g.batch:
        return ("batched_gemm",)
    return ALGORITHMS if g.batch <= LARGEST_UNFOLDED_BATCH else ("batched_gemm", "tap_products")


def nanoseconds(algorithm: Algorithm, operation: Operation, g: Geometry) -> float:
    """Return the estimated time of ``algorithm`` for ``operation`` on one core."""
    costs = COSTS[operation][algorithm]
    return sum(cost * count for cost, count in zip(costs, counts(algorithm, operation, g), strict=True))
