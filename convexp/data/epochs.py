"""Training epochs in which order, shifts and augmentation of the images depend on nothing but seed, epoch and sample."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset
from torch.utils.data import Sampler

from convexp.data.augment.augmenter import Augmenter
from convexp.data.augment.draws import Tables
from convexp.data.images import Batch, Images, index_tensor
from convexp.data.rng import draw_offsets, generator
from convexp.data.view import View
from convexp.geometry.placement import Offsets


class Epochs(TorchDataset[Batch]):
    """The images of all epochs, one after the other: item ``e * len(images) + i`` is image i as the network sees it in epoch e.

    Images are placed and shifted first, and augmented then. Both are pure functions of seed, epoch and sample, so that worker
    processes and resumed runs have no state to restore.

    Args:
        images: The training images.
        shifts: The shifts to draw from.
        seed: Seed of the draws.
        augmenter: How the shifted images are augmented; None if they are not.
    """

    def __init__(self, images: Images, shifts: Offsets, seed: int, augmenter: Augmenter | None = None) -> None:
        self.images = images
        self.shifts = shifts
        self.seed = seed
        self.augmenter = augmenter
        self._tables = Tables(len(images.labels), seed, images.images.device)
        self._current: tuple[int, View | None] = (-1, None)

    def __len__(self) -> int:
        """Return the number of items in one epoch."""
        return len(self.images)

    def __getitems__(self, items: list[int]) -> Batch:
        """Return the batch of ``items``, all of which are of one epoch."""
        epoch, n = items[0] // len(self.images), len(self.images)
        return self._batch(epoch, index_tensor(items) - epoch * n)

    def batches(self, epoch: int, index: Tensor, size: int) -> list[Batch]:
        """Return the images at ``index``, ``(n,)`` int64, in ``epoch`` as batches of ``size`` images, the last with the rest.

        They are those of ``__getitems__``. Images are cut out of the source for all batches at once; augmentations, which may
        look at a batch as a whole, are given one after the other.
        """
        if self.augmenter is not None:
            return [self._batch(epoch, part) for part in index.split(size)]
        images, targets = self._batch(epoch, index)
        return list(zip(images.split(size), targets.split(size), strict=True))

    def _batch(self, epoch: int, index: Tensor) -> Batch:
        view, rows = self._view(epoch), self.images.rows
        if self.augmenter is None:
            return self.images.batch(index, view)
        at = index.to(rows.device, non_blocking=True)
        return self.augmenter.batch(self._tables, epoch, rows, at, lambda other: self.images.batch(other, view))

    def _view(self, epoch: int) -> View | None:
        view = self.images.view
        if view is None:
            return None
        if self._current[0] != epoch:
            drawn = draw_offsets(self.shifts, len(self.images.labels), self.seed, epoch, "shift")
            device = self.images.images.device
            self._current = (epoch, replace(view, shifts=drawn.to(device) if isinstance(drawn, Tensor) else drawn))
        return self._current[1]


class EpochSampler(Sampler[int]):
    """Yields the items of ``Epochs`` in an order that is a pure function of seed and epoch.

    Lightning calls ``set_epoch`` before every epoch.

    Args:
        length: Number of items in an epoch.
        seed: Seed of the order.
        first: The epoch of the first iteration, counted from 0, and how many items of it to leave out: a resumed run has had
            them. The length stays that of a whole epoch.
    """

    def __init__(self, length: int, seed: int, first: tuple[int, int] = (0, 0)) -> None:
        self.length = length
        self.seed = seed
        self.first = first
        self.epoch = first[0]

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next iteration, counted from 0."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.length

    def order(self) -> Tensor:
        """Return the images of the epoch in their order, without those that a resumed run has had, ``(n,)`` int64."""
        order = torch.randperm(self.length, generator=generator(self.seed, self.epoch))
        return order[self.first[1] if self.epoch == self.first[0] else 0 :]

    def __iter__(self) -> Iterator[int]:
        return iter((self.epoch * self.length + self.order()).tolist())
