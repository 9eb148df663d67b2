"""What every source of images returns."""

import hashlib
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Source:
    """Images as uint8 ``(N, C, H, W)``, labels as int64 ``(N,)``: one part to learn from and one to test on."""

    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor

    def checksum(self) -> str:
        """First 16 hex digits of the SHA-256 of all images and labels, in order."""
        digest = hashlib.sha256()
        for tensor in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            digest.update(tensor.contiguous().numpy().data)
        return digest.hexdigest()[:16]
