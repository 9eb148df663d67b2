"""Augmentations as a user's own package has them."""

from dataclasses import dataclass

from torch import Tensor

from convexp.data.augment import Draws


@dataclass(frozen=True)
class Darken:
    """Darkens each image by a random share."""

    most: float

    def __call__(self, images: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        share = 1 - self.most * draws.uniform()  # (B, 1)
        return (images * share[:, :, None, None]).to(images.dtype), labels


class NoLabels:
    def __call__(self, images: Tensor, labels: Tensor, draws: Draws) -> Tensor:
        return images


class Fails:
    def __call__(self, images: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        raise ValueError("needs three channels")


def number() -> int:
    """Makes no augmentation."""
    return 1
