"""A probe: a frozen dataclass that measures a trained network on the test images."""

from dataclasses import dataclass

import torch
from torch import nn

from convexp.probes import Measurement, Sample


@dataclass(frozen=True)
class Mirror:
    """How often an image and its mirror image get the same answer.

    Numbers:
        consistency (share): images that get the same answer as their mirror image.
        n (images): number of images measured.

    Args:
        max_images: Number of test images to measure, from the first on.
    """

    max_images: int = 1000

    def measure(self, network: nn.Module, sample: Sample) -> Measurement:
        """Measure ``network``, with two forward passes of the images."""
        sample = sample.first(self.max_images)
        same = torch.cat([_answers(network, b.images) == _answers(network, b.images.flip(-1)) for b in sample.batches()])
        return Measurement({"consistency": float(same.double().mean()), "n": float(len(sample))})


def _answers(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    return network(images).argmax(1)
