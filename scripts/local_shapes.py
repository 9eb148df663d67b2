"""The shapes of bench_layers.py's tables, the time of every algorithm on them, and the costs' fit (``--fit``).

Times are CPU times of this process.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch
from scipy.optimize import nnls

from convexp.geometry import output_size
from convexp.layers import layout
from convexp.layers.algorithms import ALGORITHMS, OPERATIONS, Counts, candidates, counts
from convexp.layers.by_shape import MODULES
from convexp.layers.call_geometry import Geometry

Step = Callable[[], Any]


@dataclass(frozen=True)
class Shape:
    """C -> O channels on an image with ``dims`` equal sides, a kernel of equal sides with padding that keeps the size."""

    inputs: int
    outputs: int
    size: int
    kernel: int
    stride: int = 1
    dilation: int = 1
    groups: int = 1
    dims: int = 2

    def __str__(self) -> str:
        more = f"/{self.stride}" if self.stride > 1 else ""
        more += f", dilation {self.dilation}" if self.dilation > 1 else ""
        more += f", {self.groups} groups" if self.groups > 1 else ""
        return f"{self.inputs}→{self.outputs}, {self.size}{' ²³'[self.dims - 1].strip()}, {self.kernel}{more}"

    def arguments(self) -> dict[str, int]:
        """Of a layer."""
        return {
            "in_channels": self.inputs,
            "out_channels": self.outputs,
            "kernel_size": self.kernel,
            "stride": self.stride,
            "padding": self.kernel // 2 * self.dilation,
            "dilation": self.dilation,
            "groups": self.groups,
        }

    def geometry(self, batch: int) -> Geometry:
        """Of a call."""

        def each(value: int) -> tuple[int, ...]:
            return (value,) * self.dims

        window = (each(self.stride), each(self.kernel // 2 * self.dilation), each(self.dilation))
        size, kernel = each(self.size), each(self.kernel)
        made = tuple(output_size(size, kernel, *window))
        return Geometry(batch, self.inputs, self.outputs, size, made, kernel, *window, self.groups)


WIDE = [
    Shape(1, 16, 28, 3),
    Shape(1, 16, 28, 5, 2),
    Shape(3, 32, 32, 5),
    Shape(3, 16, 96, 3),
    Shape(3, 64, 224, 7, 2),
    Shape(16, 32, 28, 3),
    Shape(16, 32, 14, 3, 2),
    Shape(32, 64, 14, 3),
    Shape(64, 128, 8, 3),
    Shape(16, 32, 28, 3, dilation=2),
    Shape(32, 32, 28, 1),
    Shape(16, 64, 14, 1),
    Shape(64, 64, 28, 3, groups=64),
    Shape(32, 32, 14, 5, groups=32),
    Shape(32, 32, 14, 3, groups=4),
    Shape(16, 32, 8, 3, groups=8),  # eight networks side by side: 2 -> 4, 8 -> 16, 1 -> 4 and 4 -> 16 channels of each
    Shape(64, 128, 8, 3, groups=8),
    Shape(8, 32, 28, 3, groups=8),
    Shape(32, 128, 28, 3, 2, groups=8),
    Shape(16, 32, 256, 5, dims=1),
    Shape(4, 8, 10, 3, dims=3),
]
BATCHES = (1, 2, 4, 8, 12, 16, 32, 128)
LARGEST = 3e9
"""Multiply-adds of one forward pass above which a shape is left out: seconds for every call."""


HOPELESS = 64
"""Products of one tap of a unit above which a product by taps is not measured: it takes minutes, and is far behind."""


def cases(batches: tuple[int, ...], largest: float) -> Iterator[tuple[Shape, int]]:
    """Yield every shape with every batch for which a forward pass takes at most ``largest`` multiply-adds."""
    for shape in WIDE:
        for batch in batches:
            if batch * np.prod(shape.geometry(1).weight_shape, dtype=float) <= largest:
                yield shape, batch


def milliseconds(step: Step) -> float:
    """CPU time of one call, of as many as take a few milliseconds together."""
    start, calls = time.process_time(), 0
    while True:
        step()
        calls += 1
        taken = time.process_time() - start
        if taken > 0.006:
            return 1000 * taken / calls


def interleaved(steps: dict[str, Step], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of every step in every round, after a call of each that is not counted."""
    for step in steps.values():
        step()
    found: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            found[name].append(milliseconds(step))
    return found


def operation_times(shape: Shape, batch: int, dtype: torch.dtype, rounds: int) -> dict[str, dict[str, float]]:
    """Median milliseconds by operation and algorithm."""
    g = shape.geometry(batch)
    x = layout.new_image(torch.empty(0), (batch, g.in_channels, *g.input_size)).normal_().to(dtype)
    grad = layout.new_image(torch.empty(0), (batch, g.out_channels, *g.output_size)).normal_().to(dtype)
    weight = layout.new_weight(torch.empty(0), g.weight_shape).normal_().to(dtype)
    hopeless = g.unit_channels * g.group_channels > HOPELESS
    modules = {name: module for name, module in MODULES.items() if not (hopeless and name == "tap_products")}
    arguments = {"forward": (x, weight, None, g), "weight_gradient": (grad, x, g), "input_gradient": (grad, weight, g)}
    found: dict[str, dict[str, float]] = {}
    for operation in OPERATIONS:
        steps: dict[str, Step] = {
            name: partial(getattr(module, operation), *arguments[operation]) for name, module in modules.items()
        }
        first = {name: taken[0] for name, taken in interleaved(steps, 1).items()}
        near = {name: step for name, step in steps.items() if first[name] < 10 * min(first.values())}
        found[operation] = first | {name: median(taken) for name, taken in interleaved(near, rounds).items()}
    return found


Times = dict[str, dict[str, float]]


def fit(measured: list[tuple[Geometry, Times]]) -> dict[str, dict[str, list[float]]]:
    """Nanoseconds of every count, by operation and algorithm: least squares of the relative errors, without negative costs."""
    found: dict[str, dict[str, list[float]]] = {}
    for operation in OPERATIONS:
        found[operation] = {}
        for algorithm in ALGORITHMS:
            known = [
                (g, times[operation]) for g, times in measured if algorithm in times[operation] and algorithm in candidates(g)
            ]
            taken = np.array([1e6 * times[algorithm] for _, times in known])
            done = np.array([counts(algorithm, operation, g) for g, _ in known], dtype=float)
            best = np.array([1e6 * min(times.values()) for _, times in known])
            weight = np.minimum(1, 3 * best / taken)[:, None]  # what is far behind need not be known well
            costs, _ = nnls(weight * done / taken[:, None], weight[:, 0])
            found[operation][algorithm] = [float(f"{c:.2g}") for c in costs]
    return found


def show_fit(dtype: torch.dtype, rounds: int) -> None:
    """Print the costs as they stand in ``convexp/layers/algorithms.py``."""
    measured = [
        (shape.geometry(batch), operation_times(shape, batch, dtype, rounds)) for shape, batch in cases(BATCHES, LARGEST)
    ]
    for operation, of in fit(measured).items():
        print(f'    "{operation}": {{')
        for algorithm, costs in of.items():
            print(f'        "{algorithm}": {Counts.__name__}({", ".join(f"{c:g}" for c in costs)}),')
        print("    },")
