"""Helpers for augmentations that treat each image of a batch by itself."""

import torch
from torch import Tensor
from torch.nn import functional as F


def choose(condition: Tensor, changed: Tensor, images: Tensor) -> Tensor:
    """Return ``changed`` where the condition ``(B,)`` holds, else ``images``; both are ``(B, ...)``."""
    return torch.where(condition.reshape(-1, *[1] * (images.dim() - 1)), changed, images)


def pad(images: Tensor, padding: int, mode: str) -> Tensor:
    """Pad images ``(B, C, *size)`` on each side, with black (``zeros``) or with the mirrored image (``reflect``)."""
    if mode == "zeros":
        return F.pad(images, [padding] * (2 * (images.dim() - 2)))
    for dim, n in enumerate(images.shape[2:], start=2):
        at = torch.arange(-padding, n + padding, device=images.device)
        images = images.index_select(dim, (n - 1) - (n - 1 - at.abs()).abs())  # 2 1 0 1 2 1 0
    return images
