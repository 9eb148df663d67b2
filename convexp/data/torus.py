"""Images of torchvision on a torus: made smaller, and each moved anywhere, once."""

from dataclasses import replace

import torch
from torch import Tensor

from convexp.data.canvas import circular_each
from convexp.data.rng import draw_offsets
from convexp.data.source import Source
from convexp.data.vision import vision
from convexp.errors import ConfigError
from convexp.geometry.placement import Uniform


def torus(dataset: str, root: str, download: bool, block: int, seed: int) -> Source:
    """Read a data set as ``vision`` does, average blocks of pixels, and move each image by a circular shift of its own.

    Each shift of the image is as likely as any other. So Shakerinava et al. 2024 (arXiv 2311.03096) make their "MNIST on a
    torus" in their published code (src/dataset/augmentation_torus.py), but that they interpolate.

    Args:
        dataset: Name of the class in ``torchvision.datasets``.
        root: The folder that holds the files.
        download: Whether to download the files into ``root`` if they are missing.
        block: Side of the blocks of pixels whose mean becomes one pixel; 1 for all pixels.
        seed: Seed of the shifts, the same for every run.

    Raises:
        ConfigError: As ``vision`` does, and if the images do not consist of whole blocks.
    """
    source = vision(dataset, root, download)
    height, width = source.train_images.shape[2:]
    if block < 1 or height % block or width % block:
        raise ConfigError(f"data.source.block={block}: should divide the {height}x{width} pixels of the images")
    return replace(
        source,
        train_images=_moved(average_blocks(source.train_images, block), seed, "train"),
        test_images=_moved(average_blocks(source.test_images, block), seed, "test"),
    )


def average_blocks(images: Tensor, block: int) -> Tensor:
    """Average blocks of ``block`` x ``block`` pixels: ``(N, C, H, W)`` uint8 to ``(N, C, H / block, W / block)``, rounded."""
    height, width = images.shape[2:]
    blocks = images.unflatten(3, (width // block, block)).unflatten(2, (height // block, block))
    total = blocks.sum((3, 5), dtype=torch.int32)
    return ((total + block * block // 2) // (block * block)).to(torch.uint8)


def _moved(images: Tensor, seed: int, part: str) -> Tensor:
    anywhere = Uniform((0, 0), tuple(n - 1 for n in images.shape[2:]))
    shifts = draw_offsets(anywhere, len(images), seed, part, "torus")
    assert isinstance(shifts, Tensor)
    return circular_each(images, shifts)
