"""Do two shifts of one image get the same prediction?"""

from dataclasses import dataclass

import torch
from torch import Tensor

from convexp.data.canvas import zero_fill_each
from convexp.models import Network
from convexp.probes.base import Measurement, at_least, predict


@dataclass(frozen=True)
class Consistency:
    """``E[1{argmax f(T_a x) = argmax f(T_b x)}]``, a and b zero-fill shifts, iid uniform on the grid up to max_shift.

    Numbers: ``all`` over all images, ``correct`` over those that are classified correctly without a shift (a better network
    looks more consistent by that alone), ``n`` pairs. Shares, 0..1. Source: Zhang 2019, arXiv 1904.11486.

    Args:
        max_shift: pixels.
        pairs: pairs of shifts per image.
        max_images: the first so many test images.
        seed: of the shifts.
    """

    max_shift: int
    pairs: int
    max_images: int
    seed: int

    def __post_init__(self) -> None:
        at_least(self, max_shift=0, pairs=1, max_images=1, seed=0)

    def measure(self, network: Network, images: Tensor, labels: Tensor) -> Measurement:
        """Two forward passes of the images per pair."""
        images, labels = images[: self.max_images], labels[: self.max_images]
        generator = torch.Generator().manual_seed(self.seed)
        dims = images.dim() - 2
        same = torch.zeros(len(images), dtype=torch.float64)
        for _ in range(self.pairs):
            shifts = torch.randint(-self.max_shift, self.max_shift + 1, (2, len(images), dims), generator=generator)
            first, second = (predict(network, zero_fill_each(images, shift.to(images.device))) for shift in shifts)
            same += (first == second).cpu()
        correct = (predict(network, images) == labels).cpu()
        return Measurement(
            numbers={
                "all": float(same.mean() / self.pairs),
                "correct": float(same[correct].mean() / self.pairs) if correct.any() else 0.0,
                "n": float(self.pairs * len(images)),
            },
            protocol="zero_fill",
        )
