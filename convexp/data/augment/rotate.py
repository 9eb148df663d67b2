"""Rotate images."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from convexp.data.augment.draws import Draws
from convexp.geometry.augment_ranges import check_ranges


@dataclass(frozen=True)
class Rotate:
    """Rotates each image about its middle, by an angle drawn uniformly between ``-degrees`` and ``degrees``.

    Pixels are interpolated bilinearly and rounded to whole grey levels; what comes in from outside the image is black.

    Args:
        degrees: The largest angle, from 0 to 180.

    Raises:
        ValueError: if it is out of range.
    """

    degrees: float = 15.0

    def __post_init__(self) -> None:
        check_ranges(vars(self))

    def __call__(self, images: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Return the rotated images ``(B, C, H, W)`` and the labels as they are."""
        angles = (2 * draws.uniform()[:, 0] - 1) * math.radians(self.degrees)
        return rotate(images, angles), labels


def rotate(images: Tensor, angles: Tensor) -> Tensor:
    """Rotate each image ``(B, C, H, W)`` uint8 anticlockwise by its angle ``(B,)``, in radians."""
    height, width = images.shape[2:]
    y, x = (torch.arange(n, device=images.device) - (n - 1) / 2 for n in (height, width))
    cos, sin = angles.cos()[:, None, None], angles.sin()[:, None, None]
    seen_x = (cos * x - sin * y[:, None]) / (width / 2)  # (B, H, W), from -1 to 1 within the image
    seen_y = (sin * x + cos * y[:, None]) / (height / 2)
    grid = torch.stack((seen_x, seen_y), -1)
    return F.grid_sample(images.float(), grid, align_corners=False).round().clamp(0, 255).to(images.dtype)
