"""A data set ready for a run: split, placed on its canvas, with the statistics of its training images."""

from dataclasses import dataclass

import torch
from torch import Tensor

from convexp.config.schema import Data
from convexp.data.batches import Images
from convexp.data.canvas import place
from convexp.data.source import Source
from convexp.data.split import stratified
from convexp.errors import ConfigError


@dataclass(frozen=True)
class Dataset:
    """Images to train, validate and test on, all on the same canvas, and the mean and deviation (0..1) by channel.

    The statistics are those of the training images before they were placed on the canvas.
    """

    train: Images
    val: Images
    test: Images
    mean: list[float]
    std: list[float]
    checksum: str


def prepare(settings: Data, source: Source) -> Dataset:
    """Check the source against what the configuration says of it, split and place it.

    Raises:
        ConfigError: if the images or labels are not what the configuration says.
    """
    shape = tuple(settings.image_shape)
    if tuple(source.train_images.shape[1:]) != shape:
        raise ConfigError(f"data.image_shape={list(shape)}: the images are {list(source.train_images.shape[1:])}")
    largest = int(source.train_labels.max())
    if largest >= settings.classes:
        raise ConfigError(
            f"data.classes={settings.classes}: there are labels up to {largest}, which makes {largest + 1} classes"
        )
    train, val = stratified(source.train_labels, settings.val_size, settings.split_seed, "data.val_size")
    images = source.train_images[train]
    mean, std = statistics(images)
    return Dataset(
        train=Images(place(images, settings.canvas), source.train_labels[train]),
        val=Images(place(source.train_images[val], settings.canvas), source.train_labels[val]),
        test=Images(place(source.test_images, settings.canvas), source.test_labels),
        mean=mean,
        std=std,
        checksum=source.checksum(),
    )


def statistics(images: Tensor) -> tuple[list[float], list[float]]:
    """Mean and deviation by channel of ``images / 255``, uint8 (N, C, H, W); from the histogram, so exact at any size."""
    levels = torch.arange(256, dtype=torch.float64) / 255
    mean: list[float] = []
    std: list[float] = []
    for channel in images.transpose(0, 1):  # (N, H, W)
        share = channel.flatten().bincount(minlength=256).double() / channel.numel()
        mean.append(float(share @ levels))
        std.append(max(float(share @ (levels - mean[-1]) ** 2) ** 0.5, 1 / 255))  # a constant image has no deviation
    return mean, std
