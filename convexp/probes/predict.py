"""Logits and predicted classes of the images of a sample, shifted or as they are."""

from collections.abc import Callable

import torch
from torch import Tensor

from convexp.geometry import Size
from convexp.geometry.placement import ShiftProtocol as ShiftProtocol
from convexp.probes.sample import Sample

Classifier = Callable[[Tensor], Tensor]
"""A function from images ``(B, C, *size)`` uint8 to logits ``(B, classes)``; any classification network is one."""


def logits(
    network: Classifier, sample: Sample, shift: Size | Tensor | None = None, protocol: ShiftProtocol = "zero_fill"
) -> Tensor:
    """Compute the logits of all images, ``(N, classes)``, in batches.

    Args:
        network: The function to evaluate.
        sample: The images.
        shift: One shift in pixels for all images, a tensor ``(N, D)`` with one for each, or None for the images as they are.
        protocol: How images are shifted.
    """
    found: list[Tensor] = []
    for rows in sample.slices():
        batch, own = sample.rows(rows), shift[rows] if isinstance(shift, Tensor) else shift
        found.append(network(batch.images if own is None else batch.shifted(own, protocol)))
    return torch.cat(found)


def predict(
    network: Classifier, sample: Sample, shift: Size | Tensor | None = None, protocol: ShiftProtocol = "zero_fill"
) -> Tensor:
    """Compute the predicted class of each image, ``(N,)`` int64. The arguments are those of ``logits``."""
    return logits(network, sample, shift, protocol).argmax(1)
