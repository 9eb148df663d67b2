"""The shifts at which probes measure: all on a grid, or random ones from it."""

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor

from convexp.geometry import Size
from convexp.terminal import console


class ShiftGrid:
    """All shifts by whole pixels up to ``max_shift`` in each dimension, ``(2 max_shift + 1)^dims`` of them.

    Attributes:
        max_shift: Largest shift per dimension, in pixels.
        dims: Number of spatial dimensions D.
        shifts: The S shifts, row by row, from the most negative to the most positive.
        distance: Distance ``max_i |δ_i|`` of each shift δ, ``(S,)`` int64, in pixels.
        shape: Number of shifts per dimension.
    """

    def __init__(self, max_shift: int, dims: int) -> None:
        self.max_shift = max_shift
        self.dims = dims
        steps = range(-max_shift, max_shift + 1)
        self.shifts: list[Size] = list(itertools.product(steps, repeat=dims))
        self.distance = torch.tensor([max(map(abs, shift)) for shift in self.shifts])
        self.shape = (len(steps),) * dims

    def __len__(self) -> int:
        return len(self.shifts)

    def track(self, description: str) -> Iterator[Size]:
        """Yield the shifts, with a progress bar on an interactive terminal."""
        return console.track(self.shifts, description)

    def map(self, values: Tensor) -> Tensor:
        """Arrange one value per shift, ``(S,)``, as a map with one axis per dimension, ``(2 max_shift + 1, ...)``."""
        return values.reshape(self.shape)

    def radial(self, values: Tensor) -> list[float]:
        """Return the mean of the values ``(S,)`` over all shifts at distance r, for r = 0, 1, ..., ``max_shift``."""
        return [float(values[self.distance == r].mean()) for r in range(self.max_shift + 1)]

    def corners(self) -> list[Size]:
        """Return the shifts that are largest in every dimension."""
        return list(itertools.product((-self.max_shift, self.max_shift), repeat=self.dims))


def random_shifts(max_shift: int, sets: int, n: int, dims: int, seed: int) -> Tensor:
    """Draw ``sets`` shifts for each of ``n`` images, independent and uniform on the grid: ``(sets, n, dims)`` int64."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-max_shift, max_shift + 1, (sets, n, dims), generator=generator)
