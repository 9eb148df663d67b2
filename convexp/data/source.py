"""What every source of images returns."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

CHUNK = 200  # images looked at in one go: bounds the memory


@dataclass(frozen=True)
class Stored:
    """What is known of memory-mapped images since they were opened: their checksum, the ``moments`` of the training part."""

    checksum: str
    moments: Tensor


@dataclass(frozen=True)
class Source:
    """Images as uint8 ``(N, C, H, W)``, labels as int64 ``(N,)``: one part to learn from and one to test on.

    ``stored`` is given for images that lie in a memory-mapped file, and None for those in memory. ``test_objects`` (N, 2, D) is
    where the object to be found lies on the test images, its first pixel and the one after its last, -1 where there is none;
    None for images of which that is not known. ``notes`` is what else a result has to say of how they were read.
    """

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    stored: Stored | None = None
    test_objects: Tensor | None = None
    notes: dict[str, Any] = field(default_factory=dict[str, Any])

    def checksum(self) -> str:
        """First 16 hex digits of the SHA-256 of all images and labels, in order."""
        if self.stored is not None:
            return self.stored.checksum
        return checksum(self.train_images, self.train_labels, self.test_images, self.test_labels)

    def statistics(self, rows: Tensor) -> tuple[list[float], list[float]]:
        """Mean and deviation by channel of the training images at ``rows``, divided by 255; from whole numbers, so exact."""
        if self.stored is not None:
            sums = self.stored.moments[rows].sum(0)
        else:
            sums = sum((moments(self.train_images[chunk]).sum(0) for chunk in rows.split(CHUNK)), torch.tensor(0))
        count = len(rows) * self.train_images[0, 0].numel()
        mean: list[float] = []
        std: list[float] = []
        for total, squares in sums.T.tolist():
            mean.append(total / count / 255)
            variance = (squares * count - total * total) / count**2 / 255**2
            std.append(max(variance**0.5, 1 / 255))  # a constant image has no deviation
        return mean, std


def moments(images: Tensor) -> Tensor:
    """Sum of the pixels and of their squares, by image and channel: uint8 ``(N, C, H, W) -> (N, 2, C)`` int64."""
    values = images.flatten(2).int()  # (N, C, H*W)
    return torch.stack((values.sum(2), (values * values).sum(2)), 1)


def checksum(*tensors: Tensor) -> str:
    """First 16 hex digits of the SHA-256 of the tensors' bytes, in order."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()[:16]
