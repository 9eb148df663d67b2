"""What the network gets to see, as a picture: the quickest way to find a wrong setting."""

import torch
from torch import Tensor
from torchvision.utils import make_grid

from convexp.data.batches import Epochs
from convexp.data.dataset import Dataset

SIDE = 64  # pixels of a tile, about


def sheet(data: Dataset, seed: int, columns: int = 12) -> Tensor:
    """The first training images, as each of the first three epochs shifts them, then validation and test images, a row each.

    Returns ``(3, height, width)`` uint8.
    """
    n = min(columns, len(data.train), len(data.val), len(data.test))
    epochs, shown = Epochs(data.train, data.shifts, seed), 1 if data.shifts.fixed else 3
    rows = [epochs.__getitems__([epoch * len(epochs) + i for i in range(n)])[0] for epoch in range(shown)]
    images = torch.cat([*rows, data.val.first(n)[0], data.test.first(n)[0]]).cpu()  # (rows * n, C, *size)
    if images.dim() == 3:  # a signal: as a band
        images = images[:, :, None].expand(-1, -1, max(1, images.shape[2] // 8), -1)
    if images.shape[1] != 3:
        images = images[:, :1]
    zoom = max(1, SIDE // max(images.shape[2:]))
    large = images.repeat_interleave(zoom, 2).repeat_interleave(zoom, 3)
    return make_grid(large, nrow=n, padding=2, pad_value=110)
