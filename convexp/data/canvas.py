"""Placing batches of images on a larger canvas, and shifting them by whole pixels with one of three protocols.

Images are ``(N, C, *size)`` with D spatial dimensions and any dtype. Offsets are pixels per dimension, positive for down and
right. Functions with an argument ``shift`` shift all images alike. Those with ``shifts``, ``(N, D)`` int64, shift each image by
its own row.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from convexp.geometry import Size
from convexp.geometry.placement import ShiftProtocol


def place(images: Tensor, canvas_size: Size, position: Size) -> Tensor:
    """Place images on a black canvas, ``(N, C, *canvas_size)``, with their first pixel at ``position``."""
    if tuple(images.shape[2:]) == canvas_size:
        return images
    padding: list[int] = []
    for n, size, before in reversed(list(zip(images.shape[2:], canvas_size, position, strict=True))):
        padding += [before, size - n - before]
    return F.pad(images, padding)


def place_each(images: Tensor, canvas_size: Size, positions: Tensor) -> Tensor:
    """Place each image on a black canvas, ``(N, C, *canvas_size)``, with its first pixel at its row of ``positions`` (N, D)."""
    room = [size - n for size, n in zip(canvas_size, images.shape[2:], strict=True)]
    padded = F.pad(images, [r for r in reversed(room) for _ in range(2)])
    return extract_windows(padded, _tensor_like(room, positions) - positions, canvas_size)


def zero_fill(images: Tensor, shift: Size) -> Tensor:
    """Shift images; what leaves the image is cut off, and zeros enter.

    ``T_δ x[c, k, l] = x[c, k - δ_1, l - δ_2]``, with x = 0 outside the image.
    """
    padding: list[int] = []
    for delta in reversed(shift):
        padding += [delta, -delta]
    return F.pad(images, padding) if any(shift) else images


def zero_fill_each(images: Tensor, shifts: Tensor) -> Tensor:
    """Shift each image by its own row of ``shifts``, as ``zero_fill`` does."""
    size, largest = images.shape[2:], _largest(shifts)
    return extract_windows(F.pad(images, [largest] * (2 * len(size))), largest - shifts, size)


def circular(images: Tensor, shift: Size) -> Tensor:
    """Shift images; what leaves the image enters at the other side: ``T_δ x[c, k] = x[c, (k - δ) mod n]``."""
    return images.roll(shift, tuple(range(2, images.dim()))) if any(shift) else images


def circular_each(images: Tensor, shifts: Tensor) -> Tensor:
    """Shift each image by its own row of ``shifts``, as ``circular`` does."""
    size = images.shape[2:]
    starts = torch.remainder(-shifts, _tensor_like(size, shifts))
    largest = _largest(starts)
    for dim, n in enumerate(size, start=2):
        images = torch.cat((images, images.narrow(dim, 0, min(largest, n))), dim)
    return extract_windows(images, starts, size)


def crop(images: Tensor, size: Size, shift: Size) -> Tensor:
    """Crop a window ``(N, C, *size)`` from the middle of each image, moved so that its content appears shifted by ``shift``."""
    for dim, (full, n, delta) in enumerate(zip(images.shape[2:], size, shift, strict=True), start=2):
        images = images.narrow(dim, (full - n) // 2 - delta, n)
    return images


def crop_each(images: Tensor, size: Size, shifts: Tensor) -> Tensor:
    """Crop a window from each image, moved by its own row of ``shifts``, as ``crop`` does."""
    middle = [(full - n) // 2 for full, n in zip(images.shape[2:], size, strict=True)]
    return extract_windows(images, _tensor_like(middle, shifts) - shifts, size)


def shift_images(images: Tensor, shift: Size | Tensor, protocol: ShiftProtocol, size: Size) -> Tensor:
    """Shift images with any protocol.

    Args:
        images: Images, ``(N, C, *canvas_size)``.
        shift: One shift for all images, or ``(N, D)`` int64 with one for each.
        protocol: How images are shifted.
        size: Size of the window that ``crop`` takes. The other protocols keep the size of the images.
    """
    each = isinstance(shift, Tensor)
    if protocol == "crop":
        return crop_each(images, size, shift) if each else crop(images, size, shift)
    if protocol == "circular":
        return circular_each(images, shift) if each else circular(images, shift)
    return zero_fill_each(images, shift) if each else zero_fill(images, shift)


def permute_pixels(images: Tensor, order: Tensor) -> Tensor:
    """Permute the pixels of all images and channels alike: pixel k of the result is pixel ``order[k]``, ``(pixels,)`` int64."""
    return images.flatten(2)[..., order].reshape(images.shape)


def extract_windows(images: Tensor, starts: Tensor, size: Size) -> Tensor:
    """Extract from each image the window ``(N, C, *size)`` whose first pixel is its row of ``starts``, ``(N, D)`` int64."""
    view = images
    for dim, n in enumerate(size, start=2):
        view = view.unfold(dim, n, 1)  # (N, C, *full - size + 1, *size), without a copy
    index: Any = (torch.arange(len(images), device=images.device), slice(None), *starts.unbind(1))
    return view[index]


def _tensor_like(numbers: Any, like: Tensor) -> Tensor:
    return torch.tensor(numbers, device=like.device)  # (D,)


def _largest(shifts: Tensor) -> int:
    return int(shifts.abs().max()) if len(shifts) else 0


def cut_off_share(images: Tensor, shift: Size) -> float:
    """Return the share of the images' total brightness, from 0 to 1, that ``zero_fill`` cuts off; 0 for black images."""
    total = float(images.sum(dtype=torch.float64))
    return 1 - float(zero_fill(images, shift).sum(dtype=torch.float64)) / total if total else 0.0
