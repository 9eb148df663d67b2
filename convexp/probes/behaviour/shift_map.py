"""The accuracy of a network at every shift of a grid."""

from dataclasses import dataclass

import torch

from convexp.data.canvas import cut_off_share
from convexp.geometry.placement import ShiftProtocol
from convexp.probes.base import Measurement
from convexp.probes.behaviour.controls import other_class_indices
from convexp.probes.behaviour.shift_grid import ShiftGrid
from convexp.probes.figures import heat_map
from convexp.probes.predict import Classifier, predict
from convexp.probes.requirements import require_at_least
from convexp.probes.sample import Sample


@dataclass(frozen=True)
class ShiftMap:
    """Accuracy under shifts, ``A(δ) = mean_n 1{argmax f(T_δ x_n) = y_n}``, for all δ with ``|δ_i| <= max_shift``.

    Maps are shares from 0 to 1. ``accuracy`` is A, with a row for each shift down from -max_shift on and a column for each
    shift right. ``correct`` is A over the images that are classified correctly without a shift. ``radius`` is the mean of A
    over all shifts with max |δ_i| = r, for r = 0, 1, ...

    Source: the map of Kauderer-Abrams 2017, arXiv 1801.01450, with accuracy instead of distance; Biscione & Bowers 2021, arXiv
    2110.05861.

    Numbers:
        centre (share): A(0), the accuracy without a shift.
        mean (share): mean of A over the whole grid, including 0.
        worst (share): smallest A on the grid.
        drop (share): centre - worst.
        mean_correct (share): mean over the images that are classified correctly at δ = 0.
        control (share): mean over the grid of ``1{argmax f(T_δ x_n) = y_m}``, with m an image of another class: the accuracy
            of answers that are not about the image.
        cut (share): for zero_fill, the largest share of the brightness that a shift cuts off; 0 if nothing is.
        n (images): number of images measured.

    Args:
        max_shift: Largest shift in each direction, in pixels.
        max_images: Number of test images to measure, from the first on.
        protocol: How images are shifted: ``zero_fill``, ``circular`` or ``crop``.
    """

    max_shift: int
    max_images: int
    protocol: ShiftProtocol = "zero_fill"

    def __post_init__(self) -> None:
        require_at_least(self, max_shift=0, max_images=1)

    needs_scores = True

    def measure(self, network: Classifier, sample: Sample) -> Measurement:
        """Measure the accuracy at every shift, with one forward pass of the images for each."""
        sample = sample.first(self.max_images)
        labels, different = sample.labels, other_class_indices(sample.labels)
        grid = ShiftGrid(self.max_shift, len(sample.size))
        correct = predict(network, sample) == labels
        accuracy, among_correct, control = (torch.zeros(len(grid), dtype=torch.float64) for _ in range(3))
        for index, shift in enumerate(grid.track("shift_map")):
            predicted = predict(network, sample, shift, self.protocol)
            hit = (predicted == labels).double()
            accuracy[index] = hit.mean()
            among_correct[index] = hit[correct].mean() if correct.any() else 0
            control[index] = 0 if different is None else (predicted == labels[different]).double().mean()
        centre, worst = float(accuracy[len(grid) // 2]), float(accuracy.min())
        numbers = {"centre": centre, "mean": float(accuracy.mean()), "worst": worst, "drop": centre - worst}
        if different is not None:
            numbers["control"] = float(control.mean())
        if self.protocol == "zero_fill":
            numbers["cut"] = max(cut_off_share(sample.brightness(), corner) for corner in grid.corners())
        maps = {"accuracy": grid.map(accuracy).tolist(), "radius": grid.radial(accuracy)}
        if correct.any():
            numbers["mean_correct"] = float(among_correct.mean())
            maps["correct"] = grid.map(among_correct).tolist()
        title = f"Accuracy at every shift ({self.protocol}, n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{len(sample):,})"
        return Measurement(
            numbers={**numbers, "n": float(len(sample))},
            maps=maps,
            pictures={"accuracy": heat_map(grid.map(accuracy * 100), self.max_shift, title, "test accuracy (%)")},
            protocol=self.protocol,
        )
