"""Pad images and crop them back to their size."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from convexp.data.augment.draws import Draws
from convexp.data.augment.per_image import pad
from convexp.data.canvas import extract_windows
from convexp.geometry.augment_ranges import check_ranges


@dataclass(frozen=True)
class Crop:
    """Pads each image on every side and crops a window of its former size, at a place drawn uniformly from all there are.

    This is the translation by up to ``padding`` pixels that is usual on CIFAR-10 (Lee et al. 2015, arXiv 1409.5185).

    Args:
        padding: Pixels on each side, 0 or more, and fewer than the image has.
        padding_mode: ``"zeros"`` for black, ``"reflect"`` for the mirrored image without its outermost pixels.

    Raises:
        ValueError: if the padding is out of range.
    """

    padding: int = 4
    padding_mode: Literal["zeros", "reflect"] = "zeros"

    def __post_init__(self) -> None:
        check_ranges(vars(self))

    def __call__(self, images: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Return the images ``(B, C, *size)``, each moved, and the labels as they are."""
        size = tuple(images.shape[2:])
        starts = draws.integers(2 * self.padding + 1, len(size))  # (B, D)
        return extract_windows(pad(images, self.padding, self.padding_mode), starts, size), labels
