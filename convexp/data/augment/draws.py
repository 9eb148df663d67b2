"""What an augmentation draws for the images of a batch."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from convexp.data.images import Batch
from convexp.data.rng import generator

Table = Callable[[torch.Generator, int], Tensor]  # draws a row of numbers for each of n samples, (n, count), on the CPU


class Tables:
    """The numbers of an epoch that are drawn for all samples at once, so that those of one sample depend on no batch.

    Args:
        samples: Number of samples of the source.
        seed: Seed of the run.
        device: Where the tables are kept.
    """

    def __init__(self, samples: int, seed: int, device: torch.device) -> None:
        self.samples = samples
        self.seed = seed
        self.device = device
        self._epoch = -1
        self._drawn: dict[tuple[Any, ...], Tensor] = {}

    def table(self, epoch: int, name: str, number: int, kind: tuple[Any, ...], draw: Table) -> Tensor:
        """Return the table of ``kind`` that the augmentation ``name`` asks for as its ``number``-th, ``(samples, count)``."""
        if epoch != self._epoch:
            self._epoch, self._drawn = epoch, {}
        key = (name, number, *kind)
        if key not in self._drawn:
            self._drawn[key] = draw(generator(self.seed, epoch, "augment", name, number), self.samples).to(self.device)
        return self._drawn[key]


class Draws:
    """Random numbers for the images of a batch, each a pure function of seed, epoch, sample and the augmentation's name.

    Every call returns new numbers. An augmentation has to make the same calls for every batch.

    Args:
        tables: The numbers of the epoch.
        epoch: The epoch, counted from 0.
        name: Name of the augmentation.
        rows: Row of each image of the batch among the samples of the source, ``(B,)`` int64.
        classes: Number of classes.
        images: Number of training images.
        fetch: Returns training images and labels as the augmentation sees them, by their index, ``(B,)`` int64.

    Attributes:
        classes: Number of classes.
    """

    def __init__(
        self,
        tables: Tables,
        epoch: int,
        name: str,
        rows: Tensor,
        classes: int,
        images: int,
        fetch: Callable[[Tensor], Batch],
    ) -> None:
        self.classes = classes
        self._tables, self._epoch, self._name, self._rows = tables, epoch, name, rows
        self._images, self._fetch = images, fetch
        self._calls = 0

    def uniform(self, count: int = 1, transform: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Return ``count`` numbers between 0 and 1 (without 1) for each image, ``(B, count)`` float32.

        Args:
            count: How many numbers.
            transform: Applied to the numbers of all samples at once, once in an epoch, on the CPU.
        """

        def draw(source: torch.Generator, samples: int) -> Tensor:
            drawn = torch.rand(samples, count, generator=source)
            return drawn if transform is None else transform(drawn)

        return self._next(("uniform", count), draw)

    def integers(self, high: int, count: int = 1) -> Tensor:
        """Return ``count`` whole numbers from 0 to ``high - 1`` for each image, ``(B, count)`` int64."""
        return self._next(("integers", high, count), lambda g, n: torch.randint(high, (n, count), generator=g))

    def others(self) -> Batch:
        """Return another training image with its label for each image, drawn from all of them, as it is at this point."""
        return self._fetch(self.integers(self._images)[:, 0])

    def _next(self, kind: tuple[Any, ...], draw: Table) -> Tensor:
        self._calls += 1
        return self._tables.table(self._epoch, self._name, self._calls, kind, draw)[self._rows]
