"""How invariant is each layer's representation, by three measures of the literature?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from convexp.geometry import Size
from convexp.models import Network
from convexp.placement import Protocol
from convexp.probes.base import Measurement, Sample, at_least, positive, predict
from convexp.probes.pictures import curves
from convexp.probes.shifts import Grid, others, subsets

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

    Also ``accuracy``, ``n`` images. Maps: each measure by layer, and the cosine by max |δ_i| = r.
    Source: Biscione & Bowers 2021, arXiv 2110.05861; Quiroga et al. 2021; Goodfellow et al. 2009.

    Args:
        max_shift: pixels, 1 or more.
        max_images: the first so many test images.
        top: share of the units, the most invariant ones, that the firing score is over (0 to 1).
        protocol: zero_fill, circular or crop.
    """

    max_shift: int
    max_images: int
    top: float = 0.2
    protocol: Protocol = "zero_fill"

    def __post_init__(self) -> None:
        at_least(self, max_shift=1, max_images=2)
        positive(self, "top")
        if self.top > 1:
            raise ValueError(f"top={self.top}: should be a share of the units, above 0 and up to 1")

    def measure(self, network: Network, sample: Sample) -> Measurement:
        """Four forward passes of the images per shift (two of them for the control), and two without."""
        sample = sample.first(self.max_images)
        grid = Grid(self.max_shift, len(sample.size))
        correct = predict(network, sample) == sample.labels
        different = others(sample.labels)
        cosine = _Cosine(network, sample, sample if different is None else sample.rows(different), grid, self.protocol)
        variance = _variance(network, sample, grid, self.protocol)
        firing = _firing(network, sample, grid, self.protocol)
        numbers: dict[str, float] = {}
        maps: dict[str, Any] = {"radius": {}, "infinite": {}}
        shifted = grid.distance > 0
        for name in cosine.layers:
            same, foreign = cosine.layers[name]  # (S, N)
            numbers |= subsets(same[shifted].mean(0), correct.cpu(), f"{name}/cosine")
            if different is not None:
                numbers[f"{name}/cosine_control"] = float(foreign[shifted].mean())
            finite = variance[name].isfinite()
            if finite.any():
                numbers[f"{name}/variance"] = float(variance[name][finite].mean())
            if len(firing[name]):
                best = firing[name].sort(descending=True).values
                numbers[f"{name}/firing"] = float(best[: max(1, round(self.top * len(best)))].mean())
            maps["radius"][name] = grid.radial(same.mean(1))
            maps["infinite"][name] = float((~finite).double().mean())
        numbers |= {"accuracy": float(correct.double().mean()), "n": float(len(sample))}
        for measure in ("cosine", "cosine_control", "variance", "firing"):
            maps[measure] = {name: numbers.get(f"{name}/{measure}") for name in cosine.layers}
        picture = curves(maps["radius"], "shift (pixels)", "similarity of representations", "cosine, f(Tx) and f(x)")
        return Measurement(numbers, maps, {"cosine": picture}, self.protocol)


Layers = dict[str, Tensor]


def _units(network: Network, images: Tensor) -> Layers:
    """Every representation with its units in a row: (B, units)."""
    return {name: value.flatten(1) for name, value in network.representations(images).items()}


class _Cosine:
    """By layer the similarities of all shifts and images with the image itself, and with another: twice (S, N)."""

    def __init__(self, network: Network, sample: Sample, foreign: Sample, grid: Grid, protocol: Protocol) -> None:
        self.layers: dict[str, tuple[Tensor, Tensor]] = {}
        start = 0
        for batch, another in zip(sample.batches(), foreign.batches(), strict=True):
            rows = slice(start, start := start + len(batch))
            base = _units(network, batch.images)
            for index, shift in enumerate(grid.track("invariance_by_layer: cosine")):
                for kind, images in enumerate((batch.moved(shift, protocol), another.moved(shift, protocol))):
                    for name, units in _units(network, images).items():
                        if name not in self.layers:
                            empty = torch.zeros(2, len(grid), len(sample), dtype=torch.float64)
                            self.layers[name] = (empty[0], empty[1])
                        self.layers[name][kind][index, rows] = _cosine(units, base[name]).cpu()


def _cosine(a: Tensor, b: Tensor) -> Tensor:
    """Row by row; two rows of zeros are alike."""
    both = ~(a.any(1) | b.any(1))
    return torch.where(both, 1.0, F.cosine_similarity(a.double(), b.double()))


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


def _variance(network: Network, sample: Sample, grid: Grid, protocol: Protocol) -> Layers:
    """By layer, of each unit, ``mean_x std_δ / mean_δ std_x``."""
    above: Layers = {}
    for batch in sample.batches():
        over_shifts: dict[str, _Moments] = {}
        for shift in grid.track("invariance_by_layer: variance over shifts"):
            for name, units in _units(network, batch.moved(shift, protocol)).items():
                over_shifts.setdefault(name, _Moments()).add(units[None])
        for name, moments in over_shifts.items():
            above[name] = above.get(name, 0) + moments.std().sum(0) / len(sample)
    below: Layers = {}
    for shift in grid.track("invariance_by_layer: variance over images"):
        over_images: dict[str, _Moments] = {}
        for batch in sample.batches():
            for name, units in _units(network, batch.moved(shift, protocol)).items():
                over_images.setdefault(name, _Moments()).add(units)
        for name, moments in over_images.items():
            below[name] = below.get(name, 0) + moments.std() / len(grid)
    return {name: torch.where((above[name] == 0) & (below[name] == 0), 1, above[name] / below[name]).cpu() for name in above}


def _firing(network: Network, sample: Sample, grid: Grid, protocol: Protocol) -> Layers:
    """By layer ``L(i) / G(i)`` of each unit that fires at all, under the better sign."""
    scores: Layers = {}
    for sign in (1, -1):
        for name, score in _signed_firing(network, sample, grid, protocol, sign).items():
            scores[name] = score if name not in scores else torch.maximum(scores[name], score)
    return {name: score[score >= 0].cpu() for name, score in scores.items()}


def _signed_firing(network: Network, sample: Sample, grid: Grid, protocol: Protocol, sign: int) -> Layers:
    """-1 for a unit that never fires."""
    k = max(1, round(FIRING * len(sample)))
    highest: Layers = {}
    for batch in sample.batches():
        for name, units in _units(network, batch.images).items():
            seen = torch.cat((highest[name], sign * units)) if name in highest else sign * units
            highest[name] = seen.topk(min(k + 1, len(seen)), dim=0).values  # (k + 1, units), largest first
    threshold = {name: values[-1] for name, values in highest.items()}
    fired = {name: torch.zeros(len(t), dtype=torch.float64, device=t.device) for name, t in threshold.items()}
    still = {name: count.clone() for name, count in fired.items()}
    for batch in sample.batches():
        base = {name: sign * units > threshold[name] for name, units in _units(network, batch.images).items()}
        for name, on in base.items():
            fired[name] += on.sum(0)
        for units in _shifted(network, batch, grid, protocol):
            for name, on in base.items():
                still[name] += (on & (sign * units[name] > threshold[name])).sum(0) / len(grid)
    n = len(sample)
    return {name: torch.where(count > 0, (still[name] / count) / (count / n), -1) for name, count in fired.items()}


def _shifted(network: Network, batch: Sample, grid: Grid, protocol: Protocol) -> Iterator[Layers]:
    shifts: Iterator[Size] = grid.track("invariance_by_layer: firing")
    for shift in shifts:
        yield _units(network, batch.moved(shift, protocol))
