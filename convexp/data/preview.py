"""A picture of what the network sees, by which a wrong setting of the data is found quickly."""

import numpy as np
import torch
from torch import Tensor

from convexp.data.augment.augmenter import Augmenter
from convexp.data.dataset import Dataset
from convexp.data.epochs import Epochs
from convexp.data.images import Batch
from convexp.data.tiles import image_tiles
from convexp.geometry.placement import Offsets
from convexp.pictures.sheet import Sheet

SIDE = 64  # Approximate size of a tile, in pixels.


def preview_grid(data: Dataset, seed: int, columns: int = 12, augmenter: Augmenter | None = None) -> Tensor:
    """Draw the first images of each part in a grid, with the class below each.

    The first three rows show training images as they are shifted and augmented in the first three epochs (one row if nothing
    changes them), the next row validation images, and the last row test images.

    Args:
        data: The data set.
        seed: Seed of the training shifts and of the augmentation.
        columns: Largest number of images in a row.
        augmenter: How training images are augmented; None if they are not.

    Returns:
        The picture, ``(3, height, width)`` uint8.
    """
    n = min(columns, len(data.train), len(data.val), len(data.test))
    epochs, shown = Epochs(data.train, data.shifts, seed, augmenter), 1 if data.shifts.fixed and augmenter is None else 3
    train = [epochs.__getitems__([epoch * len(epochs) + i for i in range(n)]) for epoch in range(shown)]
    names = ["train"] if shown == 1 else [f"train, epoch {epoch + 1}" for epoch in range(shown)]
    batches = [*train, data.val.first(n), data.test.first(n)]
    sheet = Sheet(
        np.stack([image_tiles(images, SIDE) for images, _ in batches]),
        "What the network sees",
        f"The first images of each part, with the class below. {describe_shifts(data, augmenter is not None)}",
        rows=[*names, "validation", "test"],
        captions=[_captions(data, batch) for batch in batches],
    )
    return torch.from_numpy(sheet.draw()).permute(2, 0, 1)


def _captions(data: Dataset, batch: Batch) -> list[list[str]]:
    """The class below each image; nothing where labels are boxes or shares of several classes."""
    images, labels = batch
    return [[data.class_name(label)] for label in labels.tolist()] if labels.dim() == 1 else [[] for _ in images]


def describe_shifts(data: Dataset, augmented: bool) -> str:
    """Say how the images of each part are moved."""
    shifts = {"Training": data.shifts}
    if data.test.view is not None:
        shifts |= {"Validation": data.test.view.placement.val, "Test": data.test.view.placement.test}
    said = {part: _shift(offsets) for part, offsets in shifts.items()}
    if set(said.values()) == {"not shifted"}:
        said = {"All": "not shifted"}
    sentences = [f"{part} images are {how}." for part, how in said.items()]
    return " ".join([*sentences, *(["Training images are augmented."] if augmented else [])])


def _shift(offsets: Offsets) -> str:
    if offsets.fixed and not any(offsets.low):
        return "not shifted"
    moved = [f"{low}" if low == high else f"{low} to {high}" for low, high in zip(offsets.low, offsets.high, strict=True)]
    names = ("down", "right") if len(moved) == 2 else ("right",)
    return f"shifted {' and '.join(f'{name} by {pixels}' for name, pixels in zip(names, moved, strict=True))} pixels"
