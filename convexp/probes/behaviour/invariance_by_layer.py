"""How invariant is each layer's representation, by three measures of the literature?"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from convexp.geometry.placement import ShiftProtocol
from convexp.models import Network
from convexp.probes.base import Measurement
from convexp.probes.behaviour.controls import mean_over_subsets, other_class_indices
from convexp.probes.behaviour.shift_grid import ShiftGrid
from convexp.probes.figures import line_plot
from convexp.probes.predict import predict
from convexp.probes.requirements import require_at_least, require_attributes, require_positive
from convexp.probes.sample import Sample

FIRING = 0.01  # share of the images that a unit fires for (Goodfellow et al. 2009)


@dataclass(frozen=True)
class InvarianceByLayer:
    """Cosine similarity, normalised variance and Goodfellow's score of every layer under all shifts up to max_shift.

    By layer (stages, readout, the head's parts; all units flattened):

    - ``cosine``, ``cosine_correct``: ``E_{x,δ} cos(h(T_δ x), h(x))`` over δ != 0, over all and the correctly classified images;
      ``cosine_control`` with T_δ of an image of another class. 1 is invariant (Biscione & Bowers 2021).
    - ``variance``: ``mean_x std_δ h_i(T_δ x) / mean_δ std_x h_i(T_δ x)`` of each unit (0/0 is 1, deviations with n - 1), mean
      over the units for which it is finite. 0 is invariant, 1 means that shifts matter as much as images do (the package
      ``tmeasures``). A unit's ratio is infinite if it is constant over images but not over shifts: ``maps`` has their share.
    - ``firing``: ``L(i) / G(i)``, G(i) the share of images for which unit i fires (``s h_i > t_i``, t_i the (k+1)-th largest
      response, k = 1 % of the images), L(i) the share of the shifts of those images for which it still fires; s = 1 or -1,
      whichever scores higher; mean over the ``top`` share of the units. At most 1 / G, which is 100 (Goodfellow et al. 2009).

    Maps: each measure by layer, and the cosine by max |δ_i| = r.
    Source: Biscione & Bowers 2021, arXiv 2110.05861; Quiroga et al. 2021; Goodfellow et al. 2009.

    Numbers:
        LAYER/cosine (cosine): of a shifted and the unshifted image's units; 1 is invariant.
        LAYER/cosine_correct (cosine): cosine, over the correctly classified images.
        LAYER/cosine_control (cosine): cosine, with T_δ of an image of another class.
        LAYER/variance (ratio): normalised variance; 0 is invariant, 1: shifts matter as much as images do.
        LAYER/firing (ratio): Goodfellow's score of the most invariant units; at most 100.
        accuracy (share): classified correctly as they are.
        n (images): looked at.

    Args:
        max_shift: pixels, 1 or more.
        max_images: the first so many test images.
        top: share of the units, the most invariant ones, that the firing score is over (0 to 1).
        protocol: zero_fill, circular or crop.
    """

    max_shift: int
    max_images: int
    top: float = 0.2
    protocol: ShiftProtocol = "zero_fill"

    def __post_init__(self) -> None:
        require_at_least(self, max_shift=1, max_images=2)
        require_positive(self, "top")
        if self.top > 1:
            raise ValueError(f"top={self.top}: should be a share of the units, above 0 and up to 1")

    def measure(self, network: Network, sample: Sample) -> Measurement:
        """Two forward passes of the images per shift, one more for the control, and three without a shift."""
        require_attributes(network, "representations")
        sample = sample.first(self.max_images)
        grid, different = ShiftGrid(self.max_shift, len(sample.size)), other_class_indices(sample.labels)
        correct = (predict(network, sample) == sample.labels).cpu()
        layers = _sweep(network, sample, grid, self.protocol, None if different is None else sample.rows(different))
        spread = _spread_of_images(network, sample, grid, self.protocol)
        numbers: dict[str, float] = {}
        maps: dict[str, Any] = {"radius": {}, "infinite": {}}
        shifted = grid.distance > 0
        for name, layer in layers.items():
            numbers |= mean_over_subsets(layer.cosine[shifted].mean(0), correct, f"{name}/cosine")
            if different is not None:
                numbers[f"{name}/cosine_control"] = float(layer.control[shifted].mean())
            variance, firing = layer.variance(spread[name]), layer.firing(len(sample), len(grid))
            finite = variance.isfinite()
            if finite.any():
                numbers[f"{name}/variance"] = float(variance[finite].mean())
            if len(firing):
                best = firing.sort(descending=True).values
                numbers[f"{name}/firing"] = float(best[: max(1, round(self.top * len(best)))].mean())
            maps["radius"][name] = grid.radial(layer.cosine.mean(1))
            maps["infinite"][name] = float((~finite).double().mean())
        numbers |= {"accuracy": float(correct.double().mean()), "n": float(len(sample))}
        for measure in ("cosine", "cosine_control", "variance", "firing"):
            maps[measure] = {name: numbers.get(f"{name}/{measure}") for name in layers}
        picture = line_plot(maps["radius"], "shift (pixels)", "similarity of representations", "cosine, f(Tx) and f(x)")
        return Measurement(numbers, maps, {"cosine": picture}, self.protocol)


Layers = dict[str, Tensor]


def _units(network: Network, images: Tensor) -> Layers:
    """Every representation with its units in a row: (B, units)."""
    return {name: value.flatten(1) for name, value in network.representations(images).items()}


class _Moments:
    """Standard deviation (n - 1) over what is added, unit by unit; a unit that is constant has exactly 0."""

    def __init__(self) -> None:
        self.n = 0

    def add(self, values: Tensor) -> None:
        """``values`` (n, ...)."""
        values = values.double()
        if self.n == 0:
            self.first = values[0].clone()  # sums of differences from it: exact for what is constant
            self.sum = torch.zeros_like(self.first)
            self.squares = torch.zeros_like(self.first)
        values = values - self.first
        self.n += len(values)
        self.sum += values.sum(0)
        self.squares += values.square().sum(0)

    def std(self) -> Tensor:
        """0 where there was only one."""
        return ((self.squares - self.sum**2 / self.n).clamp(min=0) / max(1, self.n - 1)).sqrt()


class _Layer:
    """What is gathered of one layer over batches and shifts.

    ``cosine`` and ``control`` (S, N); ``thresholds`` (2, units) of the responses and of their negatives.
    """

    def __init__(self, shifts: int, images: int, thresholds: Tensor) -> None:
        self.cosine, self.control = torch.zeros(2, shifts, images, dtype=torch.float64).unbind()
        self.thresholds = thresholds
        self.fired = torch.zeros_like(thresholds, dtype=torch.float64)
        self.still = torch.zeros_like(self.fired)
        self.spread = torch.zeros_like(self.fired[0])  # sum over images of the deviation over shifts

    def fires(self, units: Tensor) -> Tensor:
        """``s h_i > t_i`` for s = 1 and -1: (B, units) -> (2, B, units)."""
        return torch.stack((units, -units)) > self.thresholds[:, None]

    def variance(self, over_images: Tensor) -> Tensor:
        """Of each unit ``mean_x std_δ / mean_δ std_x``, 0/0 being 1."""
        above = self.spread / self.cosine.shape[1]
        return torch.where((above == 0) & (over_images == 0), 1, above / over_images).cpu()

    def firing(self, images: int, shifts: int) -> Tensor:
        """``L(i) / G(i)`` under the better sign, of each unit that fires at all."""
        score = torch.where(self.fired > 0, (self.still / shifts / self.fired) / (self.fired / images), -1).amax(0)
        return score[score >= 0].cpu()


def _thresholds(network: Network, sample: Sample) -> Layers:
    """By layer the (k+1)-th largest response of each unit, and of its negative: (2, units)."""
    k = max(1, round(FIRING * len(sample)))
    highest: Layers = {}
    for batch in sample.batches():
        for name, units in _units(network, batch.images).items():
            signed = torch.stack((units, -units))  # (2, B, units)
            seen = torch.cat((highest[name], signed), 1) if name in highest else signed
            highest[name] = seen.topk(min(k + 1, seen.shape[1]), dim=1).values  # largest first
    return {name: values[:, -1] for name, values in highest.items()}


def _sweep(
    network: Network, sample: Sample, grid: ShiftGrid, protocol: ShiftProtocol, foreign: Sample | None
) -> dict[str, _Layer]:
    """All shifts of every batch, compared with the batch itself."""
    layers = {name: _Layer(len(grid), len(sample), t) for name, t in _thresholds(network, sample).items()}
    for rows in sample.slices():
        batch, another = sample.rows(rows), None if foreign is None else foreign.rows(rows)
        base = _units(network, batch.images)
        on = {name: layers[name].fires(units) for name, units in base.items()}
        moments = {name: _Moments() for name in base}
        for index, shift in enumerate(grid.track("invariance_by_layer: over shifts")):
            for name, units in _units(network, batch.shifted(shift, protocol)).items():
                layers[name].cosine[index, rows] = _cosine(units, base[name]).cpu()
                layers[name].still += (on[name] & layers[name].fires(units)).sum(1)
                moments[name].add(units[None])
            if another is not None:
                for name, units in _units(network, another.shifted(shift, protocol)).items():
                    layers[name].control[index, rows] = _cosine(units, base[name]).cpu()
        for name, layer in layers.items():
            layer.fired += on[name].sum(1)
            layer.spread += moments[name].std().sum(0)
    return layers


def _cosine(a: Tensor, b: Tensor) -> Tensor:
    """Row by row; two rows of zeros are alike."""
    both = ~(a.any(1) | b.any(1))
    return torch.where(both, 1.0, F.cosine_similarity(a.double(), b.double()))


def _spread_of_images(network: Network, sample: Sample, grid: ShiftGrid, protocol: ShiftProtocol) -> Layers:
    """By layer, of each unit, ``mean_δ std_x``: shifts outside, so that the memory does not grow with them."""
    found: Layers = {}
    for shift in grid.track("invariance_by_layer: over images"):
        moments: dict[str, _Moments] = {}
        for batch in sample.batches():
            for name, units in _units(network, batch.shifted(shift, protocol)).items():
                moments.setdefault(name, _Moments()).add(units)
        for name, over_images in moments.items():
            found[name] = found.get(name, 0) + over_images.std() / len(grid)
    return found
