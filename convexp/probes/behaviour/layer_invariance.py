"""Statistics of the representations of every layer, gathered over batches of images and shifts."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convexp.geometry.placement import ShiftProtocol
from convexp.models.representations import representations
from convexp.probes.behaviour.shift_grid import ShiftGrid
from convexp.probes.sample import Sample

FIRING = 0.01  # Share of the images for which a unit fires (Goodfellow et al. 2009).

Layers = dict[str, Tensor]
"""A tensor for each layer, by the layer's name."""


def _units(network: nn.Module, images: Tensor) -> Layers:
    """Return the representation of every layer, (B, units) each."""
    return {name: value.flatten(1) for name, value in representations(network, images).items()}


class Moments:
    """Standard deviation of each unit over all values that are added. It is exactly 0 for a unit that is constant.

    Sums are over differences from the first value, so that they are exact for constant units.
    """

    def __init__(self, like: Tensor) -> None:
        """Start without values.

        Args:
            like: Values of which the first is subtracted from all that are added, ``(n, ...)``.
        """
        self.n = 0
        self.first = like[0].double().clone()
        self.sum = torch.zeros_like(self.first)
        self.squares = torch.zeros_like(self.first)

    def add(self, values: Tensor) -> None:
        """Add ``values``, ``(n, ...)``."""
        values = values.double() - self.first
        self.n += len(values)
        self.sum += values.sum(0)
        self.squares += values.square().sum(0)

    def std(self) -> Tensor:
        """Return the standard deviation with n - 1 in the denominator, or 0 if there was one value only."""
        return ((self.squares - self.sum**2 / self.n).clamp(min=0) / max(1, self.n - 1)).sqrt()


class LayerInvariance:
    """Statistics of one layer over all batches of images and all shifts.

    Attributes:
        cosine: Cosine of the representations of the shifted and the unshifted image, ``(S, N)`` float64.
        control: The same with the shifted image of another class, ``(S, N)`` float64.
        thresholds: Thresholds above which units fire, for the responses and for their negatives, ``(2, units)``.
        fired: Number of unshifted images for which each unit fires, ``(2, units)`` float64.
        still_fired: Number of shifted images, of those for which the unit fires without a shift, for which it still fires.
        spread: Sum over images of the standard deviation over shifts, ``(units,)`` float64.
    """

    def __init__(self, shifts: int, images: int, thresholds: Tensor) -> None:
        self.cosine, self.control = torch.zeros(2, shifts, images, dtype=torch.float64).unbind()
        self.thresholds = thresholds
        self.fired = torch.zeros_like(thresholds, dtype=torch.float64)
        self.still_fired = torch.zeros_like(self.fired)
        self.spread = torch.zeros_like(self.fired[0])

    def fires(self, units: Tensor) -> Tensor:
        """Return whether ``s h_i > t_i`` for s = 1 and -1, from the units (B, units): (2, B, units) bool."""
        return torch.stack((units, -units)) > self.thresholds[:, None]

    def variance(self, over_images: Tensor) -> Tensor:
        """Return ``mean_x std_δ / mean_δ std_x`` for each unit, with 0/0 = 1, where the denominator is ``over_images``."""
        above = self.spread / self.cosine.shape[1]
        return torch.where((above == 0) & (over_images == 0), 1, above / over_images).cpu()

    def firing(self, images: int, shifts: int) -> Tensor:
        """Return ``L(i) / G(i)`` with the better sign for each unit that fires, given the numbers of images and shifts."""
        score = torch.where(self.fired > 0, (self.still_fired / shifts / self.fired) / (self.fired / images), -1).amax(0)
        return score[score >= 0].cpu()


def _thresholds(network: nn.Module, sample: Sample) -> Layers:
    """Return for each layer the (k+1)-th largest response of each unit, and of its negative: (2, units)."""
    k = max(1, round(FIRING * len(sample)))
    highest: Layers = {}
    for batch in sample.batches():
        for name, units in _units(network, batch.images).items():
            signed = torch.stack((units, -units))  # (2, B, units)
            seen = torch.cat((highest[name], signed), 1) if name in highest else signed
            highest[name] = seen.topk(min(k + 1, seen.shape[1]), dim=1).values  # largest first
    return {name: values[:, -1] for name, values in highest.items()}


def sweep_shifts(
    network: nn.Module, sample: Sample, grid: ShiftGrid, protocol: ShiftProtocol, others: Sample | None
) -> dict[str, LayerInvariance]:
    """Compare the representations of every image under all shifts with those without a shift.

    Args:
        network: The network.
        sample: The images.
        grid: The shifts.
        protocol: How images are shifted.
        others: An image of another class for each image, or None if there is none.

    Returns:
        Statistics of every layer, by its name.
    """
    layers = {name: LayerInvariance(len(grid), len(sample), t) for name, t in _thresholds(network, sample).items()}
    for rows in sample.slices():
        batch, another = sample.rows(rows), None if others is None else others.rows(rows)
        base = _units(network, batch.images)
        fires = {name: layers[name].fires(units) for name, units in base.items()}
        moments: dict[str, Moments] = {}
        for index, shift in enumerate(grid.track("invariance_by_layer: over shifts")):
            for name, units in _units(network, batch.shifted(shift, protocol)).items():
                layers[name].cosine[index, rows] = _cosine(units, base[name]).cpu()
                layers[name].still_fired += (fires[name] & layers[name].fires(units)).sum(1)
                moments.setdefault(name, Moments(units[None])).add(units[None])
            if another is not None:
                for name, units in _units(network, another.shifted(shift, protocol)).items():
                    layers[name].control[index, rows] = _cosine(units, base[name]).cpu()
        for name, layer in layers.items():
            layer.fired += fires[name].sum(1)
            layer.spread += moments[name].std().sum(0)
    return layers


def _cosine(a: Tensor, b: Tensor) -> Tensor:
    """Return the cosine row by row, which is 1 for two rows of zeros."""
    both_zero = ~(a.any(1) | b.any(1))
    return torch.where(both_zero, 1.0, F.cosine_similarity(a.double(), b.double()))


def std_over_images(network: nn.Module, sample: Sample, grid: ShiftGrid, protocol: ShiftProtocol) -> Layers:
    """Return ``mean_δ std_x`` for each unit of every layer, ``(units,)`` each.

    The outer loop is over shifts, so that the memory does not grow with their number.
    """
    found: Layers = {}
    for shift in grid.track("invariance_by_layer: over images"):
        moments: dict[str, Moments] = {}
        for batch in sample.batches():
            for name, units in _units(network, batch.shifted(shift, protocol)).items():
                moments.setdefault(name, Moments(units)).add(units)
        for name, layer_moments in moments.items():
            found[name] = found.get(name, 0) + layer_moments.std() / len(grid)
    return found
