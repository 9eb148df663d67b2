"""How far does a shift move the network's output, compared with how far apart the classes are?"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from convexp.geometry.placement import ShiftProtocol
from convexp.models import Network
from convexp.probes.base import Measurement
from convexp.probes.behaviour.controls import mean_over_subsets, other_class_indices
from convexp.probes.behaviour.shift_grid import ShiftGrid
from convexp.probes.errors import NotApplicableError
from convexp.probes.figures import heat_map
from convexp.probes.predict import logits
from convexp.probes.requirements import require_at_least
from convexp.probes.sample import Sample

PAIRED = 2000  # images among which the distances between classes are taken
ROUNDING = 1e-12  # a median of 1 - cos below this is no distance, and the cosine variant is left out


@dataclass(frozen=True)
class SensitivityMap:
    """``S(δ) = mean_x d(f(T_δ x), f(x)) / median d(f(x), f(x'))``, x and x' of different classes, f the logits.

    d is the Euclidean distance, and in the cosine variant ``1 - cos``, which does not depend on the scale of the logits
    (preferred by Myburgh et al. 2021). Maps:
    ``euclidean``, ``cosine`` (rows: shift down), ``radius`` and ``cosine_radius`` (mean over max |δ_i| = r).
    Source: Kauderer-Abrams 2017, arXiv 1801.01450.

    Numbers:
        mean (ratio): of S over all shifts but 0; 1 is as far as another class.
        mean_correct (ratio): mean, over the correctly classified images.
        control (ratio): mean, with T_δ of an image of another class in the place of T_δ x; about 1 by construction.
        cosine (ratio): mean, with 1 - cos as the distance.
        cosine_correct (ratio): cosine, over the correctly classified images.
        cosine_control (ratio): cosine, with T_δ of an image of another class.
        accuracy (share): classified correctly as they are.
        n (images): looked at.

    Args:
        max_shift: pixels, 1 or more.
        max_images: the first so many test images.
        protocol: zero_fill, circular or crop.
    """

    max_shift: int
    max_images: int
    protocol: ShiftProtocol = "zero_fill"

    def __post_init__(self) -> None:
        require_at_least(self, max_shift=1, max_images=2)

    def measure(self, network: Network, sample: Sample) -> Measurement:
        """One forward pass of the images per shift."""
        sample = sample.first(self.max_images)
        different, grid = other_class_indices(sample.labels), ShiftGrid(self.max_shift, len(sample.size))
        if different is None:
            raise NotApplicableError("all images are of one class")
        base = logits(network, sample).double()  # (N, classes)
        unit = _between(base, sample.labels)  # (2,)
        if unit[0] == 0:
            raise NotApplicableError("most images of different classes get the same output")
        apart = torch.zeros(2, len(grid), len(sample), dtype=torch.float64, device=base.device)  # measure, shift, image
        control = torch.zeros_like(apart)
        for index, shift in enumerate(grid.track("sensitivity_map")):
            moved = logits(network, sample, shift, self.protocol).double()
            apart[:, index] = _distances(moved, base) / unit[:, None]
            control[:, index] = _distances(moved[different], base) / unit[:, None]
        correct = base.argmax(1) == sample.labels
        there = grid.distance.to(base.device) > 0
        (euclidean, cosine), (far, cosine_far) = (d[:, there].mean(1) for d in (apart, control))
        maps = apart.mean(2).cpu()
        numbers = {**mean_over_subsets(euclidean, correct, "mean"), "control": float(far.mean())}
        shown = {"euclidean": grid.map(maps[0]).tolist(), "radius": grid.radial(maps[0])}
        if unit[1] > ROUNDING:
            numbers |= {**mean_over_subsets(cosine, correct, "cosine"), "cosine_control": float(cosine_far.mean())}
            shown |= {"cosine": grid.map(maps[1]).tolist(), "cosine_radius": grid.radial(maps[1])}
        return Measurement(
            numbers={**numbers, "accuracy": float(correct.double().mean()), "n": float(len(sample))},
            maps=shown,
            pictures={
                "euclidean": heat_map(grid.map(maps[0] * 100), self.max_shift, "output moved, % of the way to another class")
            },
            protocol=self.protocol,
        )


def _distances(moved: Tensor, base: Tensor) -> Tensor:
    """Euclidean distance and 1 - cosine, image by image: (2, N)."""
    return torch.stack(((moved - base).norm(dim=1), 1 - F.cosine_similarity(moved, base)))


def _between(base: Tensor, labels: Tensor) -> Tensor:
    """Median distances of images of different classes: (2,)."""
    base, labels = base[:PAIRED], labels[:PAIRED]
    pairs = labels[:, None] < labels  # each pair once
    unit = F.normalize(base)
    return torch.stack((torch.cdist(base, base)[pairs].median(), (1 - unit @ unit.T)[pairs].median()))
