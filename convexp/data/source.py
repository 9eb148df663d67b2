"""What every source of images returns."""

import hashlib
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Source:
    """Images as uint8 ``(N, C, H, W)``, labels as int64 ``(N,)``: one part to learn from and one to test on.

    ``stored`` is the checksum of images that lie in a memory-mapped file, computed when that was written; None if they are
    in memory.
    """

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    stored: str | None = None

    def checksum(self) -> str:
        """First 16 hex digits of the SHA-256 of all images and labels, in order."""
        return self.stored or checksum(self.train_images, self.train_labels, self.test_images, self.test_labels)


def checksum(*tensors: Tensor) -> str:
    """First 16 hex digits of the SHA-256 of the tensors' bytes, in order."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()[:16]
