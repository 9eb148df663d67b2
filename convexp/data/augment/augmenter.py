"""Several augmentations, applied to training batches one after the other."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from convexp.data.augment.draws import Draws, Tables
from convexp.data.images import Batch
from convexp.errors import ConfigError

Fetch = Callable[[Tensor], Batch]


@runtime_checkable
class Augmentation(Protocol):
    """Changes the images of a batch, and their labels if need be."""

    def __call__(self, images: Tensor, labels: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """Return the changed images and labels (see ``convexp.data.augment``)."""
        ...


class Augmenter:
    """Applies augmentations in their order.

    Args:
        steps: The augmentations by name.
        classes: Number of classes.
    """

    def __init__(self, steps: Mapping[str, Augmentation], classes: int) -> None:
        self.steps = list(steps.items())
        self.classes = classes

    def batch(self, tables: Tables, epoch: int, rows: Tensor, index: Tensor, fetch: Fetch) -> Batch:
        """Return the augmented batch of the training images at ``index``.

        Args:
            tables: The numbers that are drawn.
            epoch: The epoch, counted from 0.
            rows: Row of every training image among the samples of the source, ``(n,)`` int64.
            index: The images of the batch, ``(B,)`` int64.
            fetch: Returns images and labels as they are placed and shifted.

        Raises:
            ConfigError: naming the augmentation that returns something else than a batch.
        """
        return self._after(len(self.steps), tables, epoch, rows, index, fetch)

    def _after(self, steps: int, tables: Tables, epoch: int, rows: Tensor, index: Tensor, fetch: Fetch) -> Batch:
        """The batch after the first ``steps`` augmentations; images that are mixed in have gone through those before."""
        if not steps:
            return fetch(index)

        def before(at: Tensor) -> Batch:
            return self._after(steps - 1, tables, epoch, rows, at, fetch)

        name, step = self.steps[steps - 1]
        images, labels = before(index)
        drawn = Draws(tables, epoch, name, rows[index], self.classes, len(rows), before)
        augmented = step(images, labels, drawn)
        self._check(name, images, augmented)
        return augmented

    def _check(self, name: str, before: Tensor, after: Any) -> None:
        if not isinstance(after, tuple) or len(after) != 2 or not all(isinstance(each, Tensor) for each in after):
            raise ConfigError(f"augment.{name}: returns a {type(after).__name__}; should return images and labels")
        images, labels = after[0], after[1]
        if images.shape != before.shape or images.dtype != before.dtype:
            raise ConfigError(
                f"augment.{name}: returns images of {list(images.shape)} {images.dtype}; should return {list(before.shape)} "
                f"{before.dtype}, as it was given"
            )
        whole = labels.shape == (len(images),) and labels.dtype == torch.int64
        mixed = labels.shape == (len(images), self.classes) and labels.dtype == torch.float32
        if not whole and not mixed:
            raise ConfigError(
                f"augment.{name}: returns labels of {list(labels.shape)} {labels.dtype}; should return (B,) int64, or "
                f"(B, {self.classes}) float32"
            )
