"""An augmentation: a callable that changes training images at random, each image by itself."""

from dataclasses import dataclass

import torch
from torch import Tensor

from convexp.data.augment import Draws


@dataclass(frozen=True)
class Brightness:
    """Multiplies each image by a number drawn uniformly from ``1 - amount`` to ``1 + amount``.

    Args:
        amount: Largest change, from 0 to 1.
    """

    amount: float = 0.2

    def __post_init__(self) -> None:
        if not 0 <= self.amount <= 1:
            raise ValueError(f"amount={self.amount}: should be between 0 and 1")

    def __call__(self, images: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Return the changed images ``(B, C, H, W)`` uint8, and the labels as they are.

        Random numbers come from ``draws``: so they depend on seed, epoch and sample only, also in a resumed run.
        """
        factor = 1 + self.amount * (2 * draws.uniform()[:, :1, None, None] - 1)  # (B, 1, 1, 1)
        return (images * factor).round().clamp(0, 255).to(torch.uint8), labels
