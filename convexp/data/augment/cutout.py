"""Cover a square of each image."""

from dataclasses import dataclass

import torch
from torch import Tensor

from convexp.data.augment.draws import Draws
from convexp.geometry.augment_ranges import check_ranges


@dataclass(frozen=True)
class Cutout:
    """Covers a square of each image (of a signal: an interval) whose middle is drawn uniformly from all pixels.

    What lies outside the image is cut off, so that up to three quarters of the square may be missing.

    Source: DeVries & Taylor 2017, arXiv 1708.04552.

    Args:
        size: Side of the square, in pixels, 1 or more.
        fill: Grey level of the square, from 0 to 255, in every channel. The source uses the mean of the images.

    Raises:
        ValueError: if one of them is out of range.
    """

    size: int = 8
    fill: int = 0

    def __post_init__(self) -> None:
        check_ranges(vars(self))

    def __call__(self, images: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Return the images ``(B, C, *size)``, each with a covered square, and the labels as they are."""
        covered = torch.ones(len(images), *[1] * (images.dim() - 1), dtype=torch.bool, device=images.device)
        for dim, n in enumerate(images.shape[2:], start=2):
            start = draws.integers(n) - self.size // 2  # (B, 1)
            at = torch.arange(n, device=images.device)
            within = (at >= start) & (at < start + self.size)  # (B, n)
            covered = covered & within.reshape(len(images), *[n if d == dim else 1 for d in range(1, images.dim())])
        return images.masked_fill(covered, self.fill), labels
