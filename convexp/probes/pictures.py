"""Pictures as tensors ``(3, H, W)``, uint8."""

import matplotlib
import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional as F


def from_figure(figure: Figure) -> Tensor:
    """A matplotlib figure as a picture."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return torch.from_numpy(np.asarray(canvas.buffer_rgba())[..., :3].copy()).permute(2, 0, 1)  # (3, H, W)


def heat_map(grid: Tensor, max_shift: int, title: str) -> Tensor:
    """Percentages ``(2r+1, 2r+1)`` over shifts, with the number in each cell where there is room; the scale is 0 to 100."""
    figure = Figure(figsize=(5, 4.4), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    edge = max_shift + 0.5
    image = axes.imshow(grid.numpy(), vmin=0, vmax=100, cmap="viridis", extent=(-edge, edge, edge, -edge))
    if max_shift <= 5:
        for i, row in enumerate(grid.tolist()):
            for j, value in enumerate(row):
                colour = "black" if value > 60 else "white"
                axes.text(j - max_shift, i - max_shift, f"{value:.0f}", ha="center", va="center", fontsize=8, color=colour)
    axes.set(title=title, xlabel="shift right (pixels)", ylabel="shift down (pixels)")
    figure.colorbar(image, ax=axes)
    return from_figure(figure)


def tiles(kernels: Tensor, side: int = 40) -> Tensor:
    """Kernels ``(rows, columns, C, h, w)`` as a grid of tiles of about ``side`` pixels, all in one scale."""
    rows, columns, channels, height, width = kernels.shape
    scaled = kernels / kernels.abs().max().clamp(min=1e-12)  # -1..1
    if channels == 3:
        colour = (scaled + 1) / 2  # (rows, columns, 3, h, w)
    else:
        flat = scaled.mean(2)  # (rows, columns, h, w)
        colour = torch.from_numpy(matplotlib.colormaps["RdBu_r"](((flat + 1) / 2).numpy())[..., :3]).permute(0, 1, 4, 2, 3)
    zoom = max(1, side // max(height, width))
    colour = colour.reshape(rows * columns, 3, height, width).float()
    large = F.interpolate(colour, scale_factor=zoom, mode="nearest")
    framed = F.pad(large, (2, 2, 2, 2), value=0.2)  # (rows*columns, 3, h', w'): dark lines between the tiles
    grid = framed.unflatten(0, (rows, columns)).permute(2, 0, 3, 1, 4)  # (3, rows, h', columns, w')
    return (grid.flatten(3, 4).flatten(1, 2) * 255).round().to(torch.uint8)
