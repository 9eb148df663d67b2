"""Accuracy at every shift of a grid."""

from dataclasses import dataclass

import torch
from torch import Tensor

from convexp.data.canvas import cut_share, zero_fill
from convexp.models import Network
from convexp.probes.base import Measurement, NotApplicableError, at_least, predict
from convexp.probes.pictures import heat_map


@dataclass(frozen=True)
class ShiftMap:
    """Accuracy under zero-fill shifts, ``A(δ) = mean_n 1{argmax f(T_δ x_n) = y_n}`` for all |δ_1|, |δ_2| <= max_shift.

    Numbers: ``centre`` A(0), ``mean`` and ``worst`` over the whole grid (0 included), ``drop`` = centre - worst, ``cut``
    (largest share of brightness that a shift pushes off the canvas: 0 where nothing is cut off), ``n`` images. Maps:
    ``accuracy`` (rows: shift down, -max_shift first; columns: shift right), ``radius`` (mean over all shifts with
    max(|δ_1|, |δ_2|) = r, for r = 0, 1, ...).
    Accuracies are shares, 0..1. Source: Kauderer-Abrams 2017's map, with accuracy in the place of distance.

    Args:
        max_shift: pixels.
        max_images: the first so many test images.
    """

    max_shift: int
    max_images: int

    def __post_init__(self) -> None:
        at_least(self, max_shift=0, max_images=1)

    def measure(self, network: Network, images: Tensor, labels: Tensor) -> Measurement:
        """One forward pass of the images per shift."""
        if images.dim() != 4:
            raise NotApplicableError(f"a map has two dimensions, the images are of shape {list(images.shape[1:])}")
        images, labels = images[: self.max_images], labels[: self.max_images]
        steps = range(-self.max_shift, self.max_shift + 1)
        grid = torch.tensor(
            [
                [float((predict(network, zero_fill(images, (down, right))) == labels).double().mean()) for right in steps]
                for down in steps
            ],
            dtype=torch.float64,
        )
        distance = torch.tensor([[max(abs(down), abs(right)) for right in steps] for down in steps])
        corners = [(down, right) for down in (-self.max_shift, self.max_shift) for right in (-self.max_shift, self.max_shift)]
        centre, worst = float(grid[self.max_shift, self.max_shift]), float(grid.min())
        return Measurement(
            numbers={
                "centre": centre,
                "mean": float(grid.mean()),
                "worst": worst,
                "drop": centre - worst,
                "cut": max(cut_share(images, corner) for corner in corners),
                "n": float(len(labels)),
            },
            maps={
                "accuracy": grid.tolist(),
                "radius": [float(grid[distance == r].mean()) for r in range(self.max_shift + 1)],
            },
            pictures={"accuracy": heat_map(grid * 100, self.max_shift, "test accuracy (%) by shift")},
            protocol="zero_fill",
        )
