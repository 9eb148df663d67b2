"""A torch data set of images that fetches whole batches at once, without Python code for each image."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset

from convexp.data.view import View

Batch = tuple[Tensor, Tensor]
"""Images ``(B, C, *input_size)`` uint8 and labels ``(B,)`` int64, or boxes ``(B, 2, D)`` int64."""


class Images(TorchDataset[Batch]):
    """Selected rows of the images and labels of a source. The source's tensors are not copied.

    Args:
        images: All images of the source, ``(N, C, *image_size)`` uint8.
        labels: Their labels, ``(N,)`` int64.
        rows: Indices of the selected images in their order, ``(n,)`` int64, or None for all images.
        view: How a batch is placed and shifted when it is fetched, or None for the images as they are.
        workers: Number of processes that fetch batches, or 0 to fetch them in the process that asks for them.
        boxes: Bounding boxes of objects in the images of the source, ``(N, 2, D)`` int64, which a batch then has in place of
            the labels, moved as its images are; None for batches with labels.
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        rows: Tensor | None = None,
        view: View | None = None,
        workers: int = 0,
        boxes: Tensor | None = None,
    ) -> None:
        self.images = images
        self.labels = labels
        self.rows = torch.arange(len(labels)) if rows is None else rows
        self.view = view
        self.workers = workers
        self.boxes = boxes

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Batch:
        images, labels = self.__getitems__([index])
        return images[0], labels[0]

    def __getitems__(self, indices: list[int]) -> Batch:
        """Return the batch of the images at ``indices`` among the selected rows."""
        return self.batch(index_tensor(indices), self.view)

    def batch(self, index: Tensor, view: View | None) -> Batch:
        """Return the batch of the images at ``index``, ``(B,)`` int64, seen through ``view`` in place of their own view."""
        rows = self.rows[index.to(self.rows.device, non_blocking=True)]
        images = self.images[rows]
        return images if view is None else view(images, rows), self._targets(rows, view)

    def _targets(self, rows: Tensor, view: View | None) -> Tensor:
        if self.boxes is None:
            return self.labels[rows]
        boxes = self.boxes[rows]
        return boxes if view is None else view.boxes(boxes, rows)

    def with_boxes(self, boxes: Tensor) -> "Images":
        """Return the same images, whose batches have boxes in place of labels."""
        return Images(self.images, self.labels, self.rows, self.view, self.workers, boxes.to(self.images.device))

    def first(self, n: int) -> Batch:
        """Return the first ``n`` images as one batch, or all if there are fewer."""
        return self.batch(torch.arange(min(n, len(self))), self.view)

    def first_on_canvas(self, n: int) -> Tensor | None:
        """Return the first ``n`` images on their whole canvas, ``(n, C, *canvas_size)``.

        The middle of the canvas is what the network sees, before its pixels are permuted. The result is None if the network
        sees the whole canvas.
        """
        if self.view is None or self.view.placement.canvas_size == self.view.placement.input_size:
            return None
        return self.batch(torch.arange(n), self.view.on_canvas())[0]

    def with_tensors(self, images: Tensor, labels: Tensor) -> "Images":
        """Return the same selection of copies of the source's tensors that lie on another device."""

        def transfer(value: Any) -> Any:
            return value.to(images.device) if isinstance(value, Tensor) else value

        view = self.view and replace(
            self.view,
            positions=transfer(self.view.positions),
            shifts=transfer(self.view.shifts),
            order=transfer(self.view.order),
        )
        return Images(images, labels, transfer(self.rows), view, self.workers, transfer(self.boxes))


def index_tensor(indices: list[int]) -> Tensor:
    """Return indices as a tensor ``(B,)`` int64, ten times as fast as ``torch.tensor(indices)``."""
    return torch.from_numpy(np.array(indices))
