"""Batches by whole-batch indexing into tensors in memory: no per-sample Python."""

import hashlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler
from torch.utils.data import Dataset as TorchDataset

Batch = tuple[Tensor, Tensor]


class Images(TorchDataset[Batch]):
    """Images ``(N, C, H, W)`` uint8 and labels ``(N,)``; fetched a whole batch at a time by ``__getitems__``."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images = images
        self.labels = labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> Batch:
        return self.images[index], self.labels[index]

    def __getitems__(self, indices: list[int]) -> Batch:
        """The batch ``(B, C, H, W)``, ``(B,)``."""
        index = torch.tensor(indices)
        return self.images[index], self.labels[index]


class EpochSampler(Sampler[int]):
    """A permutation that is a pure function of (seed, epoch), so that a resumed run sees the order it would have seen.

    Lightning calls ``set_epoch``.
    """

    def __init__(self, length: int, seed: int) -> None:
        self.length = length
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """The epoch that the next iteration is for."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[int]:
        # A hash, since torch's CPU generator looks at the lower 32 bits of a seed only, and seed + epoch would repeat.
        digest = hashlib.sha256(f"{self.seed}/{self.epoch}".encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest[:4], "little"))
        return iter(torch.randperm(self.length, generator=generator).tolist())


def whole(batch: Any) -> Any:
    """The batch as ``__getitems__`` made it: there is nothing to collate."""
    return batch


def loader(images: Images, batch_size: int, shuffle_seed: int | None = None) -> DataLoader[Batch]:
    """A standard DataLoader over ``images``: in order, or shuffled by (seed, epoch) without the incomplete last batch."""
    if shuffle_seed is None:
        return DataLoader(images, batch_size, shuffle=False, collate_fn=whole)
    sampler = EpochSampler(len(images), shuffle_seed)
    return DataLoader(images, batch_size, sampler=sampler, drop_last=len(images) > batch_size, collate_fn=whole)
