"""RandAugment: a few of fourteen operations on each image, all of one strength."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as T

from convexp.data.augment.draws import Draws
from convexp.geometry.augment_ranges import check_ranges

Operation = Callable[[Tensor, float], Tensor]  # images (B, C, H, W) uint8, and the strength from -1 to 1


def _affine(images: Tensor, move: Sequence[float] = (0, 0), shear: Sequence[float] = (0, 0)) -> Tensor:
    degrees = [math.degrees(math.atan(each)) for each in shear]
    shifts = [float(int(share * n)) for share, n in zip(move, (images.shape[3], images.shape[2]), strict=True)]
    return T.affine(images, 0, shifts, 1.0, degrees, InterpolationMode.NEAREST, center=[0, 0] if any(shear) else None)


OPERATIONS: dict[str, Operation] = {
    "identity": lambda images, _: images,
    "shear_x": lambda images, m: _affine(images, shear=(0.3 * m, 0)),
    "shear_y": lambda images, m: _affine(images, shear=(0, 0.3 * m)),
    "translate_x": lambda images, m: _affine(images, move=(150 / 331 * m, 0)),
    "translate_y": lambda images, m: _affine(images, move=(0, 150 / 331 * m)),
    "rotate": lambda images, m: T.rotate(images, 30 * m, InterpolationMode.NEAREST),
    "brightness": lambda images, m: T.adjust_brightness(images, 1 + 0.9 * m),
    "color": lambda images, m: T.adjust_saturation(images, 1 + 0.9 * m),
    "contrast": lambda images, m: T.adjust_contrast(images, 1 + 0.9 * m),
    "sharpness": lambda images, m: T.adjust_sharpness(images, 1 + 0.9 * m),
    "posterize": lambda images, m: T.posterize(images, 8 - round(4 * abs(m))),
    "solarize": lambda images, m: T.solarize(images, 255 * (1 - abs(m))),
    "autocontrast": lambda images, _: T.autocontrast(images),
    "equalize": lambda images, _: T.equalize(images),
}


@dataclass(frozen=True)
class RandAugment:
    """Applies to each image ``operations`` operations, each drawn from all of ``OPERATIONS``, in one of two directions.

    The operations and their ranges are those of torchvision's ``RandAugment``, which draws once for a whole batch.

    Source: Cubuk et al. 2020, arXiv 1909.13719.

    Args:
        operations: How many operations one after the other, from 1 to 14.
        magnitude: Their strength, from 0 to 30; with 30 images are sheared by 0.3 and rotated by 30 degrees.

    Raises:
        ValueError: if one of them is out of range.
    """

    operations: int = 2
    magnitude: int = 9

    def __post_init__(self) -> None:
        check_ranges(vars(self))

    def __call__(self, images: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Return the changed images ``(B, C, H, W)`` and the labels as they are."""
        images = images.clone()
        chosen = draws.integers(2 * len(OPERATIONS), self.operations).cpu()  # (B, operations): which one, and its direction
        for turn in chosen.unbind(1):
            for which, operation in enumerate(OPERATIONS.values()):
                for sign in (0, 1):
                    at = torch.nonzero(turn == 2 * which + sign)[:, 0].to(images.device)
                    if len(at):
                        images[at] = operation(images[at], (1 - 2 * sign) * self.magnitude / 30)
        return images, labels
