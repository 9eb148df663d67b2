"""Finding the tiles of a picture that explains itself."""

import numpy as np
from torch import Tensor

from convexp.pictures.sheet import FRAME

Tiles = list[list[np.ndarray]]


def framed(picture: Tensor | np.ndarray) -> Tiles:
    """The framed tiles of a picture, ``(3, H, W)`` or ``(H, W, 3)``, by row and column, each ``(h, w, 3)``."""
    pixels = picture.permute(1, 2, 0).numpy() if isinstance(picture, Tensor) else picture
    line = (pixels == FRAME).all(-1)
    around = np.pad(line, 1)
    right, down, left, up = around[1:-1, 2:], around[2:, 1:-1], around[1:-1, :-2], around[:-2, 1:-1]
    found: dict[int, list[np.ndarray]] = {}
    for top, first in np.argwhere(line & right & down & ~left & ~up):  # the corners at the top left
        width = int(np.argmin(line[top, first:])) if not line[top, first:].all() else line.shape[1] - first
        height = int(np.argmin(line[top:, first])) if not line[top:, first].all() else line.shape[0] - top
        found.setdefault(int(top), []).append(pixels[top + 1 : top + height - 1, first + 1 : first + width - 1])
    return list(found.values())
