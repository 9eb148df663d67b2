"""How far a shift moves the logits, compared with the distance between classes."""

from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor
from torch.nn import functional as F

from convexp.geometry.placement import ShiftProtocol
from convexp.probes.base import Measurement
from convexp.probes.behaviour.controls import mean_over_subsets, other_class_indices, other_class_pairs
from convexp.probes.behaviour.shift_grid import ShiftGrid
from convexp.probes.errors import NotApplicableError
from convexp.probes.figures import heat_map
from convexp.probes.predict import Classifier, logits
from convexp.probes.requirements import require_at_least
from convexp.probes.sample import Sample

PAIRED = 2000  # Up to so many images distances between classes are measured over all pairs of them.
DRAWN = 250_000  # Pairs that are drawn of more images; the middle value of these is the 0.5 ± 0.002 quantile of all.
ROUNDING = 1e-12  # Medians of 1 - cos that are smaller are rounding errors of logits in single precision.

WORDS = ("How far each shift moves the logits", "of the distance to the logits of another class (%)")  # title, colour bar


@dataclass(frozen=True)
class SensitivityMap:
    """Sensitivity ``S(δ) = mean_x d(f(T_δ x), f(x)) / median d(f(x), f(x'))``, with x and x' of different classes.

    f are the logits, and d is the Euclidean distance. In the cosine variant d is ``1 - cos``, which does not depend on the
    scale of the logits (preferred by Myburgh et al. 2021). The median is over all pairs of images of different classes; of more
    than 2,000 images, over 250,000 such pairs that are drawn uniformly.

    The maps ``euclidean`` and ``cosine`` are S, with a row for each shift down and a column for each shift right. ``radius``
    and ``cosine_radius`` are the means over all shifts with max |δ_i| = r, for r = 0, 1, ...

    Source: Kauderer-Abrams 2017, arXiv 1801.01450.

    Numbers:
        mean (ratio): mean of S over all shifts except 0; at 1 a shift moves the output as far as to another class.
        mean_correct (ratio): mean, over the correctly classified images.
        control (ratio): mean, with T_δ of an image of another class instead of T_δ x; about 1 by construction.
        cosine (ratio): mean, with the distance 1 - cos.
        cosine_correct (ratio): cosine, over the correctly classified images.
        cosine_control (ratio): cosine, with T_δ of an image of another class.
        accuracy (share): unshifted images that are classified correctly.
        n (images): number of images measured.

    Args:
        max_shift: Largest shift in each direction in pixels, at least 1.
        max_images: Number of test images to measure, from the first on.
        protocol: How images are shifted: ``zero_fill``, ``circular`` or ``crop``.
    """

    max_shift: int
    max_images: int
    protocol: ShiftProtocol = "zero_fill"

    def __post_init__(self) -> None:
        require_at_least(self, max_shift=1, max_images=2)

    needs_scores = True

    def measure(self, network: Classifier, sample: Sample) -> Measurement:
        """Measure the sensitivity at every shift, with one forward pass of the images for each."""
        sample = sample.first(self.max_images)
        different, grid = other_class_indices(sample.labels), ShiftGrid(self.max_shift, len(sample.size))
        if different is None:
            raise NotApplicableError("all images are of one class")
        base = logits(network, sample).double()  # (N, classes)
        unit = _between(base, sample.labels)  # (2,)
        if unit[0] <= sqrt(2 * ROUNDING) * base.norm(dim=1).median():  # so far apart are equally long logits at ROUNDING
            raise NotApplicableError("most images of different classes get the same output")
        distance = torch.zeros(2, len(grid), len(sample), dtype=torch.float64, device=base.device)  # (measures, S, N)
        control = torch.zeros_like(distance)
        for index, shift in enumerate(grid.track("sensitivity_map")):
            moved = logits(network, sample, shift, self.protocol).double()
            distance[:, index] = _distances(moved, base) / unit[:, None]
            control[:, index] = _distances(moved[different], base) / unit[:, None]
        correct = base.argmax(1) == sample.labels
        shifted = grid.distance.to(base.device) > 0
        (euclidean, cosine), (far, cosine_far) = (d[:, shifted].mean(1) for d in (distance, control))
        maps = distance.mean(2).cpu()
        numbers = {**mean_over_subsets(euclidean, correct, "mean"), "control": float(far.mean())}
        shown = {"euclidean": grid.map(maps[0]).tolist(), "radius": grid.radial(maps[0])}
        if unit[1] > ROUNDING:
            numbers |= {**mean_over_subsets(cosine, correct, "cosine"), "cosine_control": float(cosine_far.mean())}
            shown |= {"cosine": grid.map(maps[1]).tolist(), "cosine_radius": grid.radial(maps[1])}
        return Measurement(
            numbers={**numbers, "accuracy": float(correct.double().mean()), "n": float(len(sample))},
            maps=shown,
            pictures={"euclidean": heat_map(grid.map(maps[0] * 100), self.max_shift, *WORDS)},
            protocol=self.protocol,
        )


def _distances(moved: Tensor, base: Tensor) -> Tensor:
    """Return the Euclidean distance and 1 - cos between two sets of logits (N, classes), image by image: (2, N)."""
    return torch.stack(((moved - base).norm(dim=1), 1 - F.cosine_similarity(moved, base)))


def _between(base: Tensor, labels: Tensor) -> Tensor:
    """Return the medians of both distances over pairs of images of different classes: (2,)."""
    if len(base) > PAIRED:
        pairs = zip(*(images.split(PAIRED) for images in other_class_pairs(labels, DRAWN)), strict=True)
        found = torch.cat([_distances(base[one], base[other]) for one, other in pairs], 1)
        return found.quantile(0.5, dim=1)
    different = labels[:, None] < labels  # every pair once
    unit = F.normalize(base)
    # The quantile, as torch's median of an even number of values is the lower one of the two in the middle.
    return torch.stack([d[different].quantile(0.5) for d in (torch.cdist(base, base), 1 - unit @ unit.T)])
