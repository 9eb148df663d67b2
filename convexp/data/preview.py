"""A picture of what the network sees, by which a wrong setting of the data is found quickly."""

import torch
from torch import Tensor
from torchvision.utils import make_grid

from convexp.data.augment.augmenter import Augmenter
from convexp.data.dataset import Dataset
from convexp.data.epochs import Epochs

SIDE = 64  # Approximate size of a tile, in pixels.


def preview_grid(data: Dataset, seed: int, columns: int = 12, augmenter: Augmenter | None = None) -> Tensor:
    """Draw the first images of each part in a grid.

    The first three rows show training images as they are shifted and augmented in the first three epochs (one row if nothing
    changes them), the next row validation images, and the last row test images.

    Args:
        data: The data set.
        seed: Seed of the training shifts and of the augmentation.
        columns: Largest number of images in a row.
        augmenter: How training images are augmented; None if they are not.

    Returns:
        The picture, ``(3, height, width)`` uint8.
    """
    n = min(columns, len(data.train), len(data.val), len(data.test))
    epochs, shown = Epochs(data.train, data.shifts, seed, augmenter), 1 if data.shifts.fixed and augmenter is None else 3
    rows = [epochs.__getitems__([epoch * len(epochs) + i for i in range(n)])[0] for epoch in range(shown)]
    images = torch.cat([*rows, data.val.first(n)[0], data.test.first(n)[0]]).cpu()  # (rows * n, C, *size)
    if images.dim() == 3:  # a signal is drawn as a band
        images = images[:, :, None].expand(-1, -1, max(1, images.shape[2] // 8), -1)
    if images.shape[1] != 3:
        images = images[:, :1]
    zoom = max(1, SIDE // max(images.shape[2:]))
    large = images.repeat_interleave(zoom, 2).repeat_interleave(zoom, 3)
    return make_grid(large, nrow=n, padding=2, pad_value=110)
