"""Mirror images."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from convexp.data.augment.draws import Draws
from convexp.data.augment.per_image import choose
from convexp.geometry.augment_ranges import check_ranges


@dataclass(frozen=True)
class Flip:
    """Mirrors each image with a probability. Applied twice with the same draws it is the identity.

    Args:
        probability: Share of the images that are mirrored, from 0 to 1.
        axis: ``"horizontal"`` swaps left and right (of a signal: the beginning and the end), ``"vertical"`` top and bottom.

    Raises:
        ValueError: if the probability is out of range.
    """

    probability: float = 0.5
    axis: Literal["horizontal", "vertical"] = "horizontal"

    def __post_init__(self) -> None:
        check_ranges(vars(self))

    def __call__(self, images: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Return the images ``(B, C, *size)``, some of them mirrored, and the labels as they are."""
        mirrored = draws.uniform()[:, 0] < self.probability
        return choose(mirrored, images.flip(-1 if self.axis == "horizontal" else -2), images), labels
