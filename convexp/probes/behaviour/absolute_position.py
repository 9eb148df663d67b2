"""Can the network tell the same patch in two places apart?"""

import copy
from dataclasses import dataclass
from typing import get_args

import torch
from torch import Tensor

from convexp.geometry.skeleton import PaddingMode
from convexp.layers.base import SpatialLayer
from convexp.models import Network
from convexp.probes.base import Measurement
from convexp.probes.errors import NotApplicableError
from convexp.probes.modules import find_modules
from convexp.probes.requirements import require_at_least, require_stages
from convexp.probes.sample import BATCH_SIZE, Sample

RIDGE = 1e-6  # of the readout, relative to the features' variance: its solution is unique


@dataclass(frozen=True)
class AbsolutePosition:
    """Accuracy with which a linear readout of globally pooled features tells a patch at the top left from it at the bottom
    right.

    The patch is the middle of a test image, half as large per dimension, on a black canvas of the image's size; the two places
    lie a multiple of the total stride apart. The features are mean and maximum over space of each channel of the last stage:
    what is shared and equivariant gives the same in both places, and a border of zeros tells where it is near. The readout is
    ridge regression on half of the images, tested on the other half; 0.5 is chance, and exactly so for features that are
    equal.

    Source: Kayhan & van Gemert 2020, arXiv 2003.07064, who train networks for this; here a trained network is asked.

    Numbers:
        accuracy_own (share): told apart, with the network's own border; 0.5 is chance.
        distance_own (ratio): ``E‖g(top left) - g(bottom right)‖ / E‖g(x) - g(x')‖``, pooled features g of one patch in two
            places over those of two patches in one place.
        accuracy_BORDER (share): told apart, with the weights as they are and this border.
        n (patches): tested.

    Args:
        max_images: the first so many test images; half of them train the readout.
    """

    max_images: int

    def __post_init__(self) -> None:
        require_at_least(self, max_images=4)

    def measure(self, network: Network, sample: Sample) -> Measurement:
        """Two forward passes of the images for each border mode."""
        require_stages(network)
        sample = sample.first(self.max_images)
        if len(sample) < 4:
            raise NotApplicableError(f"needs 4 images, there are {len(sample)}")
        places = self._places(network, sample)
        own = [pooled(network, images) for images in places]
        numbers = {"accuracy_own": told_apart(*own)}
        apart = (own[0] - own[0].roll(1, 0)).norm(dim=1).mean()
        if apart:
            numbers["distance_own"] = float((own[0] - own[1]).norm(dim=1).mean() / apart)
        for border in get_args(PaddingMode):
            other = with_border(network, border)
            if other is not None:
                numbers[f"accuracy_{border}"] = told_apart(*(pooled(other, images) for images in places))
        return Measurement({**numbers, "n": float(2 * (len(sample) - len(sample) // 2))})

    @staticmethod
    def _places(network: Network, sample: Sample) -> tuple[Tensor, Tensor]:
        """The patches at the top left and at the bottom right: (N, C, *size) each."""
        first, last, middle = [], [], []
        for n, field in zip(sample.size, network.skeleton.receptive_fields()[-1], strict=True):
            side = max(1, n // 2)
            far = (n - side) // field.stride * field.stride
            if not far:
                raise NotApplicableError(
                    f"images of {n} pixels leave no two places that a total stride of {field.stride} sees alike"
                )
            first.append(slice(0, side))
            last.append(slice(far, far + side))
            middle.append(slice((n - side) // 2, (n - side) // 2 + side))
        patch = sample.images[(..., *middle)]
        found = []
        for place in (first, last):
            canvas = torch.zeros_like(sample.images)
            canvas[(..., *place)] = patch
            found.append(canvas)
        return found[0], found[1]


def pooled(network: Network, images: Tensor) -> Tensor:
    """Mean and maximum over space of each channel of the last stage: (N, 2 C), float64."""
    found: list[Tensor] = []
    for batch in images.split(BATCH_SIZE):
        features = network.features(batch)[-1].flatten(2).double()  # (B, C, units)
        found.append(torch.cat((features.mean(2), features.amax(2)), 1))
    return torch.cat(found)


def with_border(network: Network, border: PaddingMode) -> Network | None:
    """A copy whose layers have another border; None if one of them has windows of no such border, or none at all."""
    other = copy.deepcopy(network)
    layers = find_modules(other, lambda module: bool(list(module.parameters(recurse=False)))).values()
    changed = [isinstance(layer, SpatialLayer) and layer.set_padding_mode(border) for layer in layers]
    return other if changed and all(changed) else None


def told_apart(first: Tensor, last: Tensor) -> float:
    """Accuracy on the second half of the rows of ridge regression on the first; -1 for ``first`` and 1 for ``last``, (N, F)."""
    half = len(first) // 2
    train = torch.cat((first[:half], last[:half]))
    mean, std = train.mean(0), train.std(0)
    scale = torch.where(std > 0, std, 1)
    rows = (train - mean) / scale  # (2 half, F)
    target = torch.ones(2 * half, dtype=rows.dtype, device=rows.device)
    target[:half] = -1
    gram = rows.T @ rows + RIDGE * len(rows) * torch.eye(rows.shape[1], dtype=rows.dtype, device=rows.device)
    weight = torch.linalg.solve(gram, rows.T @ target)
    answers = [((features[half:] - mean) / scale) @ weight for features in (first, last)]
    right = torch.cat((-answers[0], answers[1])).sign()  # 1 right, -1 wrong, 0 undecided
    return float((right + 1).mean() / 2)
