"""The shapes of bench_layers.py's wide table and of algorithm_costs.py, and how a step is timed: in this process's CPU time."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from convexp.geometry import output_size
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
    Shape(2, 4, 6, 3),  # what a call costs, whatever it computes
    Shape(1, 16, 16, 5, 2),  # the two layers of model=local on data=digits
    Shape(16, 32, 8, 3, 2),
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
    """Milliseconds of every step in every round, each after a call that is not counted: the step before used other memory."""
    found: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            step()
            found[name].append(milliseconds(step))
    return found
