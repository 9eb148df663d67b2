"""Which shifts are looked at, and what is compared with what: shared by the probes of behaviour."""

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor

from convexp.data.canvas import circular, zero_fill
from convexp.geometry import Size
from convexp.geometry.placement import Protocol
from convexp.terminal import console


class Grid:
    """All shifts of whole pixels up to ``reach`` in each dimension, row by row: ``(2 reach + 1)^dims`` of them."""

    def __init__(self, reach: int, dims: int) -> None:
        self.reach = reach
        self.dims = dims
        steps = range(-reach, reach + 1)
        self.shifts: list[Size] = list(itertools.product(steps, repeat=dims))
        self.distance = torch.tensor([max(map(abs, shift)) for shift in self.shifts])
        """max |δ_i| of each."""
        self.shape = (len(steps),) * dims

    def __len__(self) -> int:
        return len(self.shifts)

    def track(self, what: str) -> Iterator[Size]:
        """The shifts, with a progress bar for those who watch."""
        return console.track(self.shifts, what)

    def map(self, values: Tensor) -> Tensor:
        """A value per shift as a map: (S,) -> (2 reach + 1, ...), a dimension each."""
        return values.reshape(self.shape)

    def radial(self, values: Tensor) -> list[float]:
        """Mean over all shifts with max |δ| = r, for r = 0, 1, ..."""
        return [float(values[self.distance == r].mean()) for r in range(self.reach + 1)]

    def corners(self) -> list[Size]:
        """The largest shifts."""
        return list(itertools.product((-self.reach, self.reach), repeat=self.dims))


def random_shifts(reach: int, sets: int, n: int, dims: int, seed: int) -> Tensor:
    """``sets`` times a shift for each of n images, iid uniform on the grid: (sets, n, dims)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-reach, reach + 1, (sets, n, dims), generator=generator)


def others(labels: Tensor, seed: int = 0) -> Tensor | None:
    """For each image the index of one of another class, uniformly drawn: (N,); None if all are of one class."""
    order = labels.argsort(stable=True)  # by class
    sizes = labels.bincount()
    start = sizes.cumsum(0) - sizes
    left = len(labels) - sizes[labels]  # (N,), those of other classes
    if not bool((left > 0).all()):
        return None
    generator = torch.Generator().manual_seed(seed)
    rank = (torch.rand(len(labels), dtype=torch.float64, generator=generator).to(labels.device) * left).long()
    rank += (rank >= start[labels]) * sizes[labels]  # leave out the own class
    return order[rank]


def subsets(values: Tensor, correct: Tensor, name: str = "") -> dict[str, float]:
    """Mean of a value per image over all, and over the correctly classified ones if there are any.

    A better network looks more consistent by its accuracy alone (Zhang 2019): hence both.
    """
    prefix = f"{name}_" if name else ""
    found = {name or "all": float(values.double().mean())}
    if bool(correct.any()):
        found[f"{prefix}correct"] = float(values[correct].double().mean())
    return found


def shift_features(features: Tensor, shift: tuple[float, ...], protocol: Protocol) -> Tensor:
    """A feature map moved by a shift that need not be whole: ``(B, C, *size)``.

    The fraction f of a pixel by linear interpolation, ``(1 - f) T_q + f T_(q+1)``; what comes in is zero, or, under circular,
    what left on the other side.
    """
    for dim, delta in enumerate(shift):
        whole = int(delta // 1)
        fraction = delta - whole
        moved = _along(features, dim, whole, protocol)
        if fraction:
            moved = (1 - fraction) * moved + fraction * _along(features, dim, whole + 1, protocol)
        features = moved
    return features


def _along(features: Tensor, dim: int, whole: int, protocol: Protocol) -> Tensor:
    shift = tuple(whole if d == dim else 0 for d in range(features.dim() - 2))
    if protocol == "circular":
        return circular(features, shift)
    return zero_fill(features, shift) if abs(whole) < features.shape[2 + dim] else torch.zeros_like(features)
