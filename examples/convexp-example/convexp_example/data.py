"""A data set: a function that returns uint8 images and their labels, for training and for testing."""

import math

import torch
from torch import Tensor

from convexp.data.source import Source


def stripes(size: int, directions: int, noise: float, train: int, test: int, seed: int) -> Source:
    """Draw noisy stripes in one of ``directions`` directions, which is the label; their phase is random.

    Args:
        size: Side of the images, in pixels.
        directions: Number of directions, which is the number of classes.
        noise: Standard deviation of the noise, in grey levels; the stripes have an amplitude of 60.
        train: Number of images for training and validation.
        test: Number of test images.
        seed: Seed of all draws.
    """
    generator = torch.Generator().manual_seed(seed)
    images, labels = _draw(train + test, size, directions, noise, generator)
    return Source(images[:train], labels[:train], images[train:], labels[train:])


def _draw(n: int, size: int, directions: int, noise: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    labels = torch.randint(directions, (n,), generator=generator)  # (N,)
    angle = math.pi * labels[:, None, None] / directions
    phase = 2 * math.pi * torch.rand(n, 1, 1, generator=generator)
    row, column = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    wave = torch.sin(math.pi / 2 * (row * angle.cos() + column * angle.sin()) + phase)  # (N, H, W), a period of 4 pixels
    noisy = 127 + 60 * wave + noise * torch.randn(n, size, size, generator=generator)
    return noisy.round().clamp(0, 255).to(torch.uint8)[:, None], labels
