"""Batches by whole-batch indexing into tensors: no per-sample Python."""

import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.distributed
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset
from torch.utils.data.distributed import DistributedSampler

from convexp.data.canvas import move, place, place_each
from convexp.data.rng import draw, generator
from convexp.geometry import Size
from convexp.geometry.placement import Offsets, Placement

Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class View:
    """What is seen of the images: ``positions`` on the canvas, then ``shifts``; one for all, or ``(rows, D)``, one for each."""

    placement: Placement
    positions: Size | Tensor
    shifts: Size | Tensor

    def __call__(self, images: Tensor, rows: Tensor) -> Tensor:
        """Images ``(B, C, *image_size)``, which are the ``rows`` of the tables, as ``(B, C, *input_size)``."""
        canvas, positions, shifts = self.placement.canvas_size, self.positions, self.shifts
        if isinstance(positions, Tensor):
            images = place_each(images, canvas, positions[rows])
        else:
            images = place(images, canvas, positions)
        return move(
            images,
            shifts[rows] if isinstance(shifts, Tensor) else shifts,
            self.placement.protocol,
            self.placement.input_size,
        )

    def boxes(self, boxes: Tensor) -> Tensor:
        """Where boxes on the images (first pixel, one after the last; (N, 2, D)) are seen; -1 if not, or not as a whole."""
        place = self.placement
        offset = torch.as_tensor(self.positions) + torch.as_tensor(self.shifts)  # (D,) or (N, D)
        size = torch.tensor(place.input_size)
        if place.protocol == "crop":
            offset = offset - (torch.tensor(place.canvas_size) - size) // 2
        seen = boxes + offset.reshape(-1, 1, offset.shape[-1])
        if place.protocol == "circular":
            seen = seen - seen[:, :1].div(size, rounding_mode="floor") * size
        there = (boxes[:, 0] >= 0) & (seen[:, 0] >= 0) & (seen[:, 1] <= size)  # (N, D)
        return seen.where(there.all(1)[:, None, None], -1)


class Images(TorchDataset[Batch]):
    """Some ``rows`` of the images ``(N, C, H, W)`` uint8 and labels ``(N,)`` of a source, fetched a whole batch at a time.

    The source's tensors are not copied; ``view`` is applied to each batch as it is fetched.

    Args:
        images: of the source.
        labels: likewise.
        rows: which of them, in which order; None for all.
        view: what is seen of them; None for the images as they are.
        workers: processes that fetch batches; 0 where the images are in memory.
    """

    def __init__(
        self, images: Tensor, labels: Tensor, rows: Tensor | None = None, view: View | None = None, workers: int = 0
    ) -> None:
        self.images = images
        self.labels = labels
        self.rows = torch.arange(len(labels)) if rows is None else rows
        self.view = view
        self.workers = workers

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Batch:
        images, labels = self.__getitems__([index])
        return images[0], labels[0]

    def __getitems__(self, indices: list[int]) -> Batch:
        """The batch ``(B, C, *input_size)``, ``(B,)``."""
        return self.batch(_index(indices), self.view)

    def batch(self, index: Tensor, view: View | None) -> Batch:
        """The images at ``index`` through another view than their own."""
        rows = self.rows[index.to(self.rows.device, non_blocking=True)]
        images = self.images[rows]
        return images if view is None else view(images, rows), self.labels[rows]

    def first(self, n: int) -> Batch:
        """The first so many, or all there are."""
        return self.batch(torch.arange(min(n, len(self))), self.view)

    def larger(self, n: int) -> Tensor | None:
        """The first n images on the whole canvas, of which their own view is the middle; None where it is the canvas."""
        if self.view is None or self.view.placement.canvas_size == self.view.placement.input_size:
            return None
        still = replace(self.view.placement, protocol="zero_fill", input_size=self.view.placement.canvas_size)
        return self.batch(torch.arange(n), replace(self.view, placement=still))[0]

    def moved(self, images: Tensor, labels: Tensor) -> "Images":
        """The same, with the source's tensors on another device."""

        def there(value: Any) -> Any:
            return value.to(images.device) if isinstance(value, Tensor) else value

        view = self.view and replace(self.view, positions=there(self.view.positions), shifts=there(self.view.shifts))
        return Images(images, labels, there(self.rows), view, self.workers)


def _index(items: list[int]) -> Tensor:
    return torch.from_numpy(np.array(items))  # torch.tensor(items) takes ten times as long


class Epochs(TorchDataset[Batch]):
    """The images of all epochs in one row: item ``e * len(images) + i`` is image i as epoch e shows it.

    So the shift of a sample is a pure function of (seed, epoch, sample): no worker and no resumed run has a state to lose.
    """

    def __init__(self, images: Images, shifts: Offsets, seed: int) -> None:
        self.images = images
        self.shifts = shifts
        self.seed = seed
        self._seen: tuple[int, View | None] = (-1, None)

    def __len__(self) -> int:
        """Of one epoch."""
        return len(self.images)

    def __getitems__(self, items: list[int]) -> Batch:
        """A batch of items of one epoch."""
        epoch, n = items[0] // len(self.images), len(self.images)
        return self.images.batch(_index(items) - epoch * n, self._view(epoch))

    def _view(self, epoch: int) -> View | None:
        view = self.images.view
        if view is None:
            return None
        if self._seen[0] != epoch:
            drawn = draw(self.shifts, len(self.images.labels), self.seed, epoch, "shift")
            device = self.images.images.device
            self._seen = (epoch, replace(view, shifts=drawn.to(device) if isinstance(drawn, Tensor) else drawn))
        return self._seen[1]


class EpochSampler(DistributedSampler[int]):
    """Items of ``Epochs`` in an order that is a pure function of (seed, epoch): a resumed run sees what it would have seen.

    Lightning calls ``set_epoch``. In a process group each process gets its share, ``order[rank::processes]``, of equal
    lengths (up to ``processes - 1`` items at the end are left out). It is asked for when the iteration starts, since loaders
    are made before the group.
    """

    def __init__(self, length: int, seed: int) -> None:
        self.length = length
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """The epoch that the next iteration is for."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.length // _processes()[1]

    def __iter__(self) -> Iterator[int]:
        rank, processes = _processes()
        order = torch.randperm(self.length, generator=generator(self.seed, self.epoch))
        return iter((self.epoch * self.length + order[rank::processes][: len(self)]).tolist())


def _processes() -> tuple[int, int]:
    """Rank and number of the processes that train together."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1


def whole(batch: Any) -> Any:
    """The batch as ``__getitems__`` made it: there is nothing to collate."""
    return batch


def _ways(images: Images) -> dict[str, Any]:
    """A generator of its own, since a loader draws from torch's whenever it starts; and processes that stream, if any."""
    ways: dict[str, Any] = {"generator": torch.Generator()}
    if images.workers:
        ways |= {"num_workers": images.workers, "persistent_workers": True, "pin_memory": torch.cuda.is_available()}
        if "fork" in multiprocessing.get_all_start_methods():  # others would copy the memory map
            ways["multiprocessing_context"] = "fork"
    return ways


def loader(images: Images, batch_size: int) -> DataLoader[Batch]:
    """A standard DataLoader over ``images`` in order."""
    return DataLoader(images, batch_size, shuffle=False, collate_fn=whole, **_ways(images))


def training_loader(images: Images, batch_size: int, shifts: Offsets, seed: int, first_epoch: int = 0) -> DataLoader[Batch]:
    """A standard DataLoader over ``images``, in each epoch in another order and shifted anew; no incomplete last batch."""
    sampler = EpochSampler(len(images), seed)
    sampler.set_epoch(first_epoch)  # Lightning does so too late for a run that is resumed: workers have begun by then
    return DataLoader(
        Epochs(images, shifts, seed),
        batch_size,
        sampler=sampler,
        drop_last=len(images) > batch_size,
        collate_fn=whole,
        **_ways(images),
    )
