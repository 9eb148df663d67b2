"""Pictures put together from tensors: weights as colours, images as tiles, sheets of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from convexp.files.atomic import atomic_write
from convexp.pictures.colour_bar import Pixels, colour_bar, map_colours
from convexp.pictures.sheet import Sheet, enlarge

Pictures = dict[str, Tensor]
"""Pictures ``(3, H, W)`` uint8 by name."""

FULL_COLOUR = 3  # Weights of this many root mean squares are shown in full red or blue, whatever the wiring.
OUTSIDE = 255  # Brightness of what is no weight, where three channels are colours; elsewhere it is grey.
SIDE = 48  # Approximate size to which a tile is enlarged, in pixels.


def as_tensor(pixels: Pixels) -> Tensor:
    """Return a picture ``(H, W, 3)`` as a tensor ``(3, H, W)``."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)


def full_colour(weights: Tensor) -> float:
    """Return the weight that has the full colour: 3 times the root mean square of the weights shown that are not 0."""
    shown = _shown(weights)
    used = shown[(shown != 0) & shown.isfinite()]
    return FULL_COLOUR * float(used.square().mean().sqrt()) if len(used) else 1.0


def weight_colours(weights: Tensor) -> Pixels:
    """Return the colours ``(..., h, w, 3)`` uint8 of weights ``(..., C, h, w)``; NaN stands for places without a weight.

    Three channels are shown as red, green and blue around grey. For any other number, the mean over the channels is shown,
    positive in red and negative in blue. The scale is that of ``full_colour``.
    """
    scaled = _shown(weights) / full_colour(weights) / 2 + 0.5
    if scaled.shape[-3] != 3:
        return map_colours(scaled.squeeze(-3).numpy(), "RdBu_r")
    colours = (scaled.clamp(0, 1) * 255).round().nan_to_num(OUTSIDE)
    return colours.to(torch.uint8).movedim(-3, -1).numpy()


def _shown(weights: Tensor) -> Tensor:
    return weights if weights.shape[-3] == 3 else weights.mean(-3, keepdim=True)


def weight_sheet(
    weights: Tensor, title: str, note: str, first_row: Pixels | None = None, **names: str | Sequence[str]
) -> Tensor:
    """Draw weights ``(rows, columns, C, h, w)`` as tiles, with a colour bar.

    Args:
        weights: The weights.
        title: What the picture shows.
        note: How to read it.
        first_row: Tiles ``(columns, h', w', 3)`` of a row above the weights, enlarged already; None if there is none.
        names: Names of rows and columns, as the arguments of ``Sheet``.
    """
    tiles, channels, full = enlarge(weight_colours(weights), SIDE), weights.shape[-3], full_colour(weights)
    if first_row is not None:
        size = [max(tiles.shape[axis], first_row.shape[axis]) for axis in (-3, -2)]
        tiles = np.concatenate((padded(first_row, *size)[None], padded(tiles, *size)))
    seen = "" if channels == 1 else f"mean of the weights over the {channels} input channels"
    ticks = ((0.0, f"≤ -{full:.2g}"), (0.5, "0"), (1.0, f"≥ {full:.2g}"))
    bar = colour_bar("RdBu_r", ticks, f"{seen or 'weight'} ({FULL_COLOUR} root mean squares: full colour)")
    if channels == 3:
        note = f"The three input channels are red, green and blue; grey is 0, and ±{full:.2g} the full colour. {note}"
    kept: dict[str, str | Sequence[str]] = names
    return as_tensor(Sheet(tiles, title, note, bar=None if channels == 3 else bar, **kept).draw())  # type: ignore[arg-type]


def padded(tiles: Pixels, height: int, width: int) -> Pixels:
    """Return tiles ``(..., h, w, 3)`` in the middle of white ones of ``height`` and ``width``."""
    down, right = height - tiles.shape[-3], width - tiles.shape[-2]
    around = [(0, 0)] * (tiles.ndim - 3) + [(down // 2, down - down // 2), (right // 2, right - right // 2), (0, 0)]
    return np.pad(tiles, around, constant_values=255)


def evenly_spaced(count: int, most: int) -> Tensor:
    """Indices of ``most`` of ``count`` tiles, the first and the last among them; of all if there are fewer."""
    return torch.linspace(0, count - 1, min(most, count)).round().long()


def save_pictures(pictures: Mapping[str, Tensor], folder: Path) -> None:
    """Save pictures as PNG files; ``probe/name`` becomes ``probe_name.png``."""
    for name, picture in pictures.items():
        with atomic_write(folder / f"{name.replace('/', '_')}.png") as partial:
            few_colours(Image.fromarray(picture.permute(1, 2, 0).numpy())).save(partial, format="png")


def few_colours(image: Image.Image) -> Image.Image:
    """Return the image with a palette, which makes a smaller file, if it has at most 256 colours."""
    colours = image.getcolors(256)
    if colours is None:
        return image
    palette = np.array(sorted(colour for _, colour in colours), np.uint32)  # (colours, 3)
    weight = np.array([1 << 16, 1 << 8, 1], np.uint32)
    indices = np.searchsorted(palette @ weight, np.asarray(image).astype(np.uint32) @ weight)
    indexed = Image.fromarray(indices.astype(np.uint8), mode="P")
    indexed.putpalette(palette.astype(np.uint8).tobytes())
    return indexed
