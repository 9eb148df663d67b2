"""Images on a larger canvas, and zero-fill shifts: exact for whole pixels, in batches."""

import torch
from torch import Tensor
from torch.nn import functional as F


def place(images: Tensor, canvas: int | None) -> Tensor:
    """Images ``(N, C, *size)`` in the middle of a black canvas: ``(N, C, canvas, ...)``; None leaves them as they are."""
    if canvas is None:
        return images
    padding: list[int] = []
    for n in reversed(images.shape[2:]):
        before = (canvas - n) // 2
        padding += [before, canvas - n - before]
    return F.pad(images, padding)


def zero_fill(images: Tensor, shift: tuple[int, ...]) -> Tensor:
    """Content moved by ``shift`` pixels per dimension (down, right), black where nothing is; what leaves is cut off.

    ``T_δ x[c, k, l] = x[c, k - δ_1, l - δ_2]`` inside, 0 outside. Shapes ``(N, C, *size)`` in and out.
    """
    padding: list[int] = []
    for delta in reversed(shift):
        padding += [delta, -delta]
    return F.pad(images, padding)


def zero_fill_each(images: Tensor, shifts: Tensor) -> Tensor:
    """Each image moved by a shift of its own: images ``(N, C, H, W)``, shifts ``(N, 2)``, result ``(N, C, H, W)``."""
    for dim in range(shifts.shape[1]):
        n, axis = images.shape[2 + dim], 2 + dim
        source = torch.arange(n, device=images.device) - shifts[:, dim, None]  # (N, n)
        inside = ((source >= 0) & (source < n)).view(len(images), 1, *(n if axis == a else 1 for a in range(2, images.dim())))
        index = source.clamp(0, n - 1).view_as(inside).expand_as(images)
        images = images.gather(axis, index) * inside
    return images


def cut_share(images: Tensor, shift: tuple[int, ...]) -> float:
    """Share of the images' total brightness that a zero-fill shift pushes off the canvas; 0 for black images."""
    total = float(images.sum(dtype=torch.float64))
    return 1 - float(zero_fill(images, shift).sum(dtype=torch.float64)) / total if total else 0.0
