"""The record that every source of images returns, and what is computed from images."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from convexp.data.hierarchy import Hierarchy

CHUNK = 200  # Images that are looked at together. It bounds the memory.


@dataclass(frozen=True)
class Precomputed:
    """What is stored beside memory-mapped images, so that it is not computed at every start.

    Attributes:
        checksum: Checksum of all images and labels.
        moments: ``moments`` of the training images, ``(N, 2, C)`` int64.
    """

    checksum: str
    moments: Tensor


@dataclass(frozen=True)
class Source:
    """Images and labels of a data set, in a part for training (and validation) and a part for testing.

    Attributes:
        train_images: Images of the training part, ``(N, C, H, W)`` uint8, or ``(N, C, L)`` for signals.
        train_labels: Their labels, ``(N,)`` int64, from 0.
        test_images: Images of the test part.
        test_labels: Their labels.
        precomputed: Checksum and moments of memory-mapped images, or None for images in memory.
        test_objects: Bounding box of the object in each test image, ``(N, 2, D)`` int64: its first pixel and the pixel after
            its last, or -1 for an image without an object. None if the source does not know where objects are.
        train_objects: The same for the training images.
        notes: What the result of a run records about how the images were read.
        class_names: Name of each class, from class 0 on, for pictures; None if they have none but their numbers.
        hierarchy: The rules by which all images were made, or None if there are none.
    """

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    precomputed: Precomputed | None = None
    test_objects: Tensor | None = None
    train_objects: Tensor | None = None
    notes: dict[str, Any] = field(default_factory=dict[str, Any])
    class_names: tuple[str, ...] | None = None
    hierarchy: Hierarchy | None = None

    @property
    def memory_mapped(self) -> bool:
        """Whether the images are in a memory-mapped file, and not in memory."""
        return self.precomputed is not None

    def checksum(self) -> str:
        """Return the checksum of all images and labels."""
        if self.precomputed is not None:
            return self.precomputed.checksum
        return checksum(self.train_images, self.train_labels, self.test_images, self.test_labels)

    def statistics(self, rows: Tensor) -> tuple[list[float], list[float]]:
        """Compute mean and standard deviation by channel of the training images at ``rows``, with pixels scaled to 0..1.

        The sums are sums of integers and so exact, whatever their order. The standard deviation is at least 1/255, also for
        images that are constant.

        Args:
            rows: Indices of training images, ``(n,)`` int64.
        """
        if self.precomputed is not None:
            sums = self.precomputed.moments[rows].sum(0)
        else:
            sums = sum((moments(self.train_images[chunk]).sum(0) for chunk in rows.split(CHUNK)), torch.tensor(0))
        count = len(rows) * self.train_images[0, 0].numel()
        mean: list[float] = []
        std: list[float] = []
        for total, squares in sums.T.tolist():
            mean.append(total / count / 255)
            variance = (squares * count - total * total) / count**2 / 255**2
            std.append(max(variance**0.5, 1 / 255))
        return mean, std


def moments(images: Tensor) -> Tensor:
    """Sum the pixels and their squares by image and channel: ``(N, C, H, W)`` uint8 to ``(N, 2, C)`` int64."""
    values = images.flatten(2).int()  # (N, C, H*W)
    return torch.stack((values.sum(2), (values * values).sum(2)), 1)


def checksum(*tensors: Tensor) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of the tensors' bytes, in order."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()[:16]
