"""Mix pairs of images and their labels."""

from dataclasses import dataclass

import torch
from scipy.special import betaincinv
from torch import Tensor
from torch.nn import functional as F

from convexp.data.augment.draws import Draws
from convexp.geometry.augment_ranges import check_ranges


@dataclass(frozen=True)
class Mixup:
    """Mixes each image with another: ``r x + (1 - r) x'``, with the label ``r y + (1 - r) y'`` and ``r ~ Beta(alpha, alpha)``.

    Labels become probabilities of the classes, and the loss is the cross entropy with them. The other image is drawn from all
    training images, and not from the batch as in the source, so that the result does not depend on the batch. Mixed images are
    rounded to whole grey levels.

    Source: Zhang et al. 2018, arXiv 1710.09412.

    Args:
        alpha: Parameter of the beta distribution, above 0. With 1 every share ``r`` is as likely; the smaller it is, the nearer
            to 0 or 1 are most of them.

    Raises:
        ValueError: if alpha is out of range.
    """

    alpha: float = 0.2

    def __post_init__(self) -> None:
        check_ranges(vars(self))

    def __call__(self, images: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Return the mixed images ``(B, C, *size)`` and labels ``(B, K)`` float32."""
        share = draws.uniform(transform=self._share)[:, 0]
        others, other_labels = draws.others()
        labels, other_labels = (probabilities(each, draws.classes) for each in (labels, other_labels))
        return mix(images, others, share).round().to(images.dtype), mix(labels, other_labels, share)

    def _share(self, uniform: Tensor) -> Tensor:
        """The quantiles of the beta distribution at numbers that are uniform between 0 and 1."""
        return torch.from_numpy(betaincinv(self.alpha, self.alpha, uniform.double().numpy())).float()


def mix(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    """Return ``share * first + (1 - share) * second`` for each row, ``(B, ...)`` float32."""
    share = share.reshape(-1, *[1] * (first.dim() - 1))
    return share * first + (1 - share) * second


def probabilities(labels: Tensor, classes: int) -> Tensor:
    """Return labels ``(B,)`` as probabilities ``(B, K)`` float32; those that are probabilities already unchanged."""
    return F.one_hot(labels, classes).float() if labels.dim() == 1 else labels
