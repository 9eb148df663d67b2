"""Pictures of a network's errors: the confusion matrix, the accuracy of each class by shift, and wrongly classified images."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from convexp.data.tiles import image_tiles
from convexp.pictures.colour_bar import PERCENT, colour_bar, map_colours
from convexp.pictures.sheet import Sheet, enlarge, in_rows
from convexp.probes.pictures import as_tensor
from convexp.probes.sample import Sample

CELL, MAP, IMAGE = 34, 99, 96  # sizes in pixels: of a cell with a number, of a map, of an image
ROOTS = tuple(((percent / 100) ** 0.5, str(percent)) for percent in (0, 1, 5, 25, 100))  # so that a few mistakes are seen
MAPS_IN_A_ROW, IMAGES_IN_A_ROW = 5, 6


def confusion_picture(confusion: Tensor, names: Sequence[str]) -> Tensor:
    """Draw a confusion matrix ``(rows, rows)`` of counts: colours are shares of the true class, numbers are images."""
    counts = confusion.cpu().numpy()
    total = counts.sum(1, keepdims=True)
    shares = np.where(total > 0, counts / np.maximum(total, 1), np.nan)  # (rows, rows)
    cells = map_colours(np.sqrt(shares), "Blues")[:, :, None, None].repeat(CELL, 2).repeat(CELL, 3)
    wrong = int(counts.sum() - counts.trace())
    return as_tensor(
        Sheet(
            cells,
            f"Confusion matrix: {wrong:,} of {int(counts.sum()):,} test images off the diagonal",
            "Numbers are images.",
            rows=names,
            columns=names,
            row_title="true class",
            column_title="answer of the network",
            numbers=[[f"{count}" if count else "" for count in row] for row in counts.tolist()],
            bar=colour_bar("Blues", ROOTS, "share of the images of the true class (%)"),
            gap=0,
        ).draw()
    )


def class_shift_picture(right: Sequence[Any], images: Sequence[int], names: Sequence[str]) -> Tensor:
    """Draw for each class the share of right answers at every shift, all on one scale.

    Args:
        right: Right answers by class and shift, ``(rows, 2r+1, 2r+1)``, or ``(rows, 2r+1)`` for signals.
        images: Number of images of each class that were shifted.
        names: Name of each class.
    """
    counts = np.asarray(right, dtype=float)
    counts = counts[:, None] if counts.ndim == 2 else counts
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = counts / np.asarray(images, dtype=float)[:, None, None]  # NaN for a class without images
    captions = [
        [name, f"{100 * share.mean():.0f} % (n = {n})" if n else "no images"]
        for name, share, n in zip(names, shares, images, strict=True)
    ]
    columns, reach = min(MAPS_IN_A_ROW, len(names)), counts.shape[2] // 2
    down = "" if counts.shape[1] == 1 else ", shifts down below it"
    return as_tensor(
        Sheet(
            in_rows(enlarge(map_colours(shares, "viridis"), MAP), columns),
            "Which shifts break which class",
            f"A map for each class: test accuracy at every shift of up to {reach} pixel{'' if reach == 1 else 's'}, with no "
            f"shift in the middle{down} and shifts to the right on its right. Below each: the mean over its map.",
            captions=[captions[start : start + columns] for start in range(0, len(captions), columns)],
            bar=colour_bar("viridis", PERCENT, "test accuracy (%)"),
            count=len(names),
        ).draw()
    )


def mistakes_picture(sample: Sample, mistakes: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Tensor | None:
    """Draw the images of ``mistakes``, the surest first; None if there are none, or the images are volumes."""
    if not mistakes or len(sample.size) > 2:
        return None
    tiles = image_tiles(sample.rows(torch.tensor([mistake["image"] for mistake in mistakes])).shown(), IMAGE)
    captions = [
        [f"{names[m['answer']]} ({100 * m['probability']:.0f} %)", f"is {names[m['label']]}", f"image {m['image']}"]
        for m in mistakes
    ]
    columns = min(IMAGES_IN_A_ROW, len(mistakes))
    return as_tensor(
        Sheet(
            in_rows(tiles, columns),
            f"The {len(mistakes)} most confident mistakes",
            "Below each test image: the answer with its probability, the true class, and the image's number, counted from 0.",
            captions=[captions[start : start + columns] for start in range(0, len(captions), columns)],
            count=len(mistakes),
        ).draw()
    )
