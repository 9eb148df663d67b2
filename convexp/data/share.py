"""The share that one process has of every batch, if several train a network together."""

from typing import Protocol

from torch.utils.data import Dataset as TorchDataset

from convexp.data.images import Batch
from convexp.machine.processes import Place


class Batches(Protocol):
    """What fetches a whole batch at once."""

    def __len__(self) -> int:
        """Return the number of items."""
        ...

    def __getitems__(self, items: list[int], /) -> Batch:
        """Return the batch of ``items``."""
        ...


class Share(TorchDataset[Batch]):
    """Of every batch each n-th item, with n the number of processes.

    So the batches are those of a single process, and the shares of all processes together are the batch. The shares of a batch
    differ by one item at most; a batch of fewer items than processes leaves some with an empty share.

    Args:
        whole: What fetches whole batches.
        place: The place of this process.
    """

    def __init__(self, whole: Batches, place: Place) -> None:
        self.whole = whole
        self.place = place

    def __len__(self) -> int:
        return len(self.whole)

    def __getitems__(self, items: list[int]) -> Batch:
        """Return this process's share of the batch of ``items``."""
        if own := items[self.place.rank :: self.place.world_size]:
            return self.whole.__getitems__(own)
        images, targets = self.whole.__getitems__(items[:1])
        return images[:0], targets[:0]
