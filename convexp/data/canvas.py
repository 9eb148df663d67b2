"""Images on a larger canvas, and the three ways to shift them: exact for whole pixels, in batches.

Shapes are ``(N, C, *size)`` for any number of dimensions and any dtype; offsets are pixels per dimension, down and right first
positive. Functions of one ``shift`` move all images alike, those of ``shifts`` (N, D) each by its own.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from convexp.geometry import Size
from convexp.geometry.placement import ShiftProtocol


def place(images: Tensor, canvas_size: Size, position: Size) -> Tensor:
    """Images on a black canvas, their first pixel at ``position``: ``(N, C, *size) -> (N, C, *canvas_size)``."""
    if tuple(images.shape[2:]) == canvas_size:
        return images
    padding: list[int] = []
    for n, size, before in reversed(list(zip(images.shape[2:], canvas_size, position, strict=True))):
        padding += [before, size - n - before]
    return F.pad(images, padding)


def place_each(images: Tensor, canvas_size: Size, positions: Tensor) -> Tensor:
    """Each image at a position of its own, ``(N, D)``."""
    room = [size - n for size, n in zip(canvas_size, images.shape[2:], strict=True)]
    return windows(F.pad(images, [r for r in reversed(room) for _ in range(2)]), _at(room, positions) - positions, canvas_size)


def zero_fill(images: Tensor, shift: Size) -> Tensor:
    """Content moved by ``shift``, black where nothing is; what leaves is cut off.

    ``T_δ x[c, k, l] = x[c, k - δ_1, l - δ_2]`` inside, 0 outside.
    """
    padding: list[int] = []
    for delta in reversed(shift):
        padding += [delta, -delta]
    return F.pad(images, padding) if any(shift) else images


def zero_fill_each(images: Tensor, shifts: Tensor) -> Tensor:
    """Each image moved by a shift of its own, ``(N, D)``."""
    size, reach = images.shape[2:], _reach(shifts)
    return windows(F.pad(images, [reach] * (2 * len(size))), reach - shifts, size)


def circular(images: Tensor, shift: Size) -> Tensor:
    """Content moved by ``shift``; what leaves comes in on the other side: ``T_δ x[c, k] = x[c, (k - δ) mod n]``."""
    return images.roll(shift, tuple(range(2, images.dim()))) if any(shift) else images


def circular_each(images: Tensor, shifts: Tensor) -> Tensor:
    """Each image rolled by a shift of its own, ``(N, D)``."""
    size = images.shape[2:]
    starts = torch.remainder(-shifts, _at(size, shifts))
    reach = _reach(starts)
    for dim, n in enumerate(size, start=2):
        images = torch.cat((images, images.narrow(dim, 0, min(reach, n))), dim)
    return windows(images, starts, size)


def crop(images: Tensor, size: Size, shift: Size) -> Tensor:
    """The window of ``size`` in the middle, moved so that its content appears moved by ``shift``: ``(N, C, *size)``."""
    for dim, (full, n, delta) in enumerate(zip(images.shape[2:], size, shift, strict=True), start=2):
        images = images.narrow(dim, (full - n) // 2 - delta, n)
    return images


def crop_each(images: Tensor, size: Size, shifts: Tensor) -> Tensor:
    """From each image a window moved by a shift of its own, ``(N, D)``."""
    middle = [(full - n) // 2 for full, n in zip(images.shape[2:], size, strict=True)]
    return windows(images, _at(middle, shifts) - shifts, size)


def move(images: Tensor, shift: Size | Tensor, protocol: ShiftProtocol, size: Size) -> Tensor:
    """Images shifted by ``protocol``, all by the same ``shift`` or each by its row of it; ``size`` is what is seen then."""
    each = isinstance(shift, Tensor)
    if protocol == "crop":
        return crop_each(images, size, shift) if each else crop(images, size, shift)
    if protocol == "circular":
        return circular_each(images, shift) if each else circular(images, shift)
    return zero_fill_each(images, shift) if each else zero_fill(images, shift)


def windows(images: Tensor, starts: Tensor, size: Size) -> Tensor:
    """From each image the window of ``size`` that starts at its own ``starts`` (N, D): ``(N, C, *full) -> (N, C, *size)``."""
    view = images
    for dim, n in enumerate(size, start=2):
        view = view.unfold(dim, n, 1)  # (N, C, *full - size + 1, *size): nothing is copied
    index: Any = (torch.arange(len(images), device=images.device), slice(None), *starts.unbind(1))
    return view[index]


def _at(numbers: Any, like: Tensor) -> Tensor:
    return torch.tensor(numbers, device=like.device)  # (D,)


def _reach(shifts: Tensor) -> int:
    return int(shifts.abs().max()) if len(shifts) else 0


def cut_share(images: Tensor, shift: Size) -> float:
    """Share of the images' total brightness that a zero-fill shift pushes off the canvas; 0 for black images."""
    total = float(images.sum(dtype=torch.float64))
    return 1 - float(zero_fill(images, shift).sum(dtype=torch.float64)) / total if total else 0.0
