"""Pictures put together from tensors: weights as colours, tiles in a grid, pictures below each other."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from convexp.files.atomic import atomic_write

Pictures = dict[str, Tensor]
"""Pictures ``(3, H, W)`` uint8 by name."""

LINE = 0.2  # Brightness of the lines between tiles, from 0 to 1.
FULL_COLOUR = 3  # Weights of this many root mean squares are shown in full red or blue, whatever the wiring.


def weight_colours(weights: Tensor) -> Tensor:
    """Map weights ``(..., C, h, w)`` to colours ``(..., 3, h, w)`` from 0 to 1.

    The scale is the root mean square of the weights that are not 0. Three channels are shown as red, green and blue around
    grey. For any other number, the mean over the channels is shown, positive in red and negative in blue.
    """
    shown = weights if weights.shape[-3] == 3 else weights.mean(-3, keepdim=True)
    used = shown[shown != 0]
    rms = used.square().mean().sqrt() if len(used) else shown.new_ones(())
    scaled = (shown / (FULL_COLOUR * rms) / 2 + 0.5).clamp(0, 1)
    if shown.shape[-3] == 3:
        return scaled
    colours = matplotlib.colormaps["RdBu_r"](scaled.squeeze(-3).numpy())[..., :3]  # (..., h, w, 3)
    return torch.from_numpy(colours).movedim(-1, -3).float()


def tile_grid(colours: Tensor, side: int = 40) -> Tensor:
    """Arrange tiles in a grid with dark lines between them.

    Args:
        colours: Tiles, ``(rows, columns, 3, h, w)`` with values from 0 to 1.
        side: Approximate size to which each tile is enlarged, in pixels.

    Returns:
        The picture, ``(3, H, W)`` uint8.
    """
    rows, columns, _, height, width = colours.shape
    zoom = max(1, side // max(height, width))
    large = F.interpolate(colours.flatten(0, 1).float(), scale_factor=zoom, mode="nearest")
    framed = F.pad(large, (2, 2, 2, 2), value=LINE)  # (rows*columns, 3, h', w')
    grid = framed.unflatten(0, (rows, columns)).permute(2, 0, 3, 1, 4)  # (3, rows, h', columns, w')
    return (grid.flatten(3, 4).flatten(1, 2) * 255).round().to(torch.uint8)


def evenly_spaced(count: int, most: int) -> Tensor:
    """Indices of ``most`` of ``count`` tiles, the first and the last among them; of all if there are fewer."""
    return torch.linspace(0, count - 1, min(most, count)).round().long()


def stack_vertically(pictures: Sequence[Tensor]) -> Tensor:
    """Put pictures ``(3, H, W)`` uint8 below each other, padded on the right to the width of the widest."""
    width = max(picture.shape[2] for picture in pictures)
    return torch.cat([F.pad(picture, (0, width - picture.shape[2]), value=round(255 * LINE)) for picture in pictures], 1)


def save_pictures(pictures: Mapping[str, Tensor], folder: Path) -> None:
    """Save pictures as PNG files; ``probe/name`` becomes ``probe_name.png``."""
    for name, picture in pictures.items():
        with atomic_write(folder / f"{name.replace('/', '_')}.png") as partial:
            Image.fromarray(picture.permute(1, 2, 0).numpy()).save(partial, format="png")
