"""Whether a network can tell apart the same patch at two positions."""

import copy
from dataclasses import dataclass, replace
from typing import get_args

import torch
from torch import Tensor, nn

from convexp.geometry import Size
from convexp.geometry.skeleton import PaddingMode
from convexp.layers.base import SpatialLayer
from convexp.models import Network
from convexp.models.pooling import Blur, DenseMax
from convexp.models.representations import maps
from convexp.probes.base import Measurement
from convexp.probes.errors import NotApplicableError
from convexp.probes.modules import find_modules
from convexp.probes.requirements import require_at_least, require_maps, require_neighbours
from convexp.probes.sample import Sample

RIDGE = 1e-6  # Regularisation of the readout relative to the variance of the features, so that its solution is unique.


@dataclass(frozen=True)
class AbsolutePosition:
    """Accuracy with which a linear readout of globally pooled features tells a patch at the top left from it at the bottom
    right.

    The patch is the middle of a test image, half as large per dimension, on a black canvas of the image's size. The distance
    between the two positions is a multiple of the total stride. The features are mean and maximum over space of each channel of
    the last feature map, of a skeleton its last stage. A network with shared weights that is equivariant has the same features
    at both positions, unless the border of zeros makes a difference. The readout is ridge regression on half of the images,
    tested on the other half: ``E 1{sign(a · g + b) = position}``, with g the pooled features and a, b fitted. Chance is 0.5,
    which is exact for features that are equal.

    Source: Kayhan & van Gemert 2020, arXiv 2003.07064, who train networks for this task; here a trained network is measured.

    Numbers:
        accuracy_own (share): patches whose position is recognised, with the network's own border; 0.5 is chance.
        distance_own (ratio): ``E‖g(top left) - g(bottom right)‖ / E‖g(x) - g(x')‖``, the distance between pooled features g of
            a patch at two positions, relative to that of two patches at one position.
        accuracy_BORDER (share): patches whose position is recognised, with the same weights and this border.
        n (patches): number of patches in the test of the readout.

    Args:
        max_images: Number of test images to measure, from the first on. Half of them train the readout.
    """

    max_images: int

    def __post_init__(self) -> None:
        require_at_least(self, max_images=4)

    def measure(self, network: nn.Module, sample: Sample) -> Measurement:
        """Measure the accuracy, with two forward passes of the images for each border mode."""
        require_neighbours(sample)
        sample = sample.first(self.max_images)
        layer, position = list(require_maps(network, sample).maps.items())[-1]
        if len(sample) < 4:
            raise NotApplicableError(f"needs 4 images, and there are {len(sample)}")
        positions = self._patches(position.stride, sample)
        own = [pooled(network, layer, each) for each in positions]
        numbers = {"accuracy_own": position_accuracy(*own)}
        between_patches = (own[0] - own[0].roll(1, 0)).norm(dim=1).mean()
        if between_patches:
            numbers["distance_own"] = float((own[0] - own[1]).norm(dim=1).mean() / between_patches)
        for border in get_args(PaddingMode):
            other = with_border(network, border)
            if other is not None:
                numbers[f"accuracy_{border}"] = position_accuracy(*(pooled(other, layer, each) for each in positions))
        return Measurement({**numbers, "n": float(2 * (len(sample) - len(sample) // 2))})

    @staticmethod
    def _patches(strides: Size, sample: Sample) -> tuple[Sample, Sample]:
        """Return the patches at the top left and at the bottom right."""
        first, last, middle = [], [], []
        for n, stride in zip(sample.size, strides, strict=True):
            side = max(1, n // 2)
            far = (n - side) // stride * stride
            if not far:
                raise NotApplicableError(
                    f"images of {n} pixels have no two positions for a patch whose distance is a multiple of {stride}"
                )
            first.append(slice(0, side))
            last.append(slice(far, far + side))
            middle.append(slice((n - side) // 2, (n - side) // 2 + side))
        patch = sample.images[(..., *middle)]
        found = []
        for position in (first, last):
            canvas = sample.blank()
            canvas[(..., *position)] = patch
            found.append(replace(sample, images=canvas))
        return found[0], found[1]


def pooled(network: nn.Module, layer: str, sample: Sample) -> Tensor:
    """Return mean and maximum over space of each channel of a layer's map, ``(N, 2 C)`` float64."""
    found: list[Tensor] = []
    for batch in sample.batches():
        features = maps(network, batch.images, [layer])[layer].flatten(2).double()  # (B, C, units)
        found.append(torch.cat((features.mean(2), features.amax(2)), 1))
    return torch.cat(found)


def with_border(network: nn.Module, border: PaddingMode) -> nn.Module | None:
    """Return a copy of a network with another border.

    Returns:
        The copy, or None if a layer has no windows or its input is too small for such a border.
    """
    if isinstance(network, Network) and not _fits(network, border):
        return None
    other = copy.deepcopy(network)
    for module in other.modules():
        if isinstance(module, Blur | DenseMax):
            module.padding_mode = border
    layers = find_modules(other, lambda module: bool(list(module.parameters(recurse=False)))).values()
    changed = [isinstance(layer, SpatialLayer) and layer.set_padding_mode(border) for layer in layers]
    return other if changed and all(changed) else None


def _fits(network: Network, border: PaddingMode) -> bool:
    """Whether the inputs of all stages are large enough for a border."""
    stages = tuple(replace(stage, padding_mode=border) for stage in network.skeleton.stages)
    try:
        replace(network.skeleton, stages=stages).sizes()
    except ValueError:
        return False
    return True


def position_accuracy(first: Tensor, last: Tensor) -> float:
    """Return the accuracy of a linear readout that tells two sets of features apart.

    The readout is ridge regression on the first half of the rows, with the targets -1 and 1, tested on the second half.

    Args:
        first: Features of the patches at the first position, ``(N, F)``.
        last: Features of the same patches at the last position, ``(N, F)``.
    """
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
    correct = torch.cat((-answers[0], answers[1])).sign()  # 1 right, -1 wrong, 0 undecided
    return float((correct + 1).mean() / 2)
