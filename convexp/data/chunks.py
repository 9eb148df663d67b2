"""Training batches that are handed out several at a time, for networks whose step takes less time than fetching a batch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from convexp.data.epochs import Epochs, EpochSampler
from convexp.data.images import Batch
from convexp.machine.run_clock import run_clock

SECONDS = 0.2  # that the training on a chunk may take, so that Ctrl-C and progress do not wait
MOST_BATCHES = 64
MOST_BYTES = 2**24  # of images


@dataclass
class Chunk:
    """Consecutive batches of an epoch.

    Attributes:
        batches: The batches, one or more.
        done: How many of them were trained on. The others are part of the next chunk.
    """

    batches: list[Batch]
    done: int = 0


class Chunks:
    """Yields the batches of an epoch as ``Chunk``; its length is the number of batches.

    How many batches a chunk has depends on the time that the last one took. What is computed does not.

    Args:
        epochs: The images of all epochs.
        sampler: The order of the items.
        batch_size: Number of images in a batch.
        ahead: Returns the largest number of batches that the next chunk may have.
    """

    def __init__(self, epochs: Epochs, sampler: EpochSampler, batch_size: int, ahead: Callable[[], int]) -> None:
        self.epochs = epochs
        self.sampler = sampler  # Lightning sets its epoch
        self.batch_size = batch_size
        self.ahead = ahead
        self._most = 1  # batches of the next chunk

    def __len__(self) -> int:
        return max(1, len(self.sampler) // self.batch_size)

    def __iter__(self) -> Iterator[Chunk]:
        size, order = self.batch_size, self.sampler.order()
        done, epoch = 0, self.sampler.epoch
        count = len(order) // size if len(self.sampler) > size else 1
        while done < count:
            take = min(self._most, self.ahead(), count - done)
            batches = self.epochs.batches(epoch, order[done * size : (done + take) * size], size)
            chunk, start = Chunk(batches), run_clock()
            yield chunk
            self._most = suitable(batches[0], (run_clock() - start) / max(1, chunk.done))
            done += chunk.done


def suitable(batch: Batch, seconds: float) -> int:
    """Return how many batches a chunk should have, at least 1.

    Args:
        batch: A batch as the others.
        seconds: What the training on a batch took.
    """
    by_time, by_size = int(SECONDS / max(seconds, 1e-9)), MOST_BYTES // max(1, batch[0].nbytes)
    return max(1, min(MOST_BATCHES, by_time, by_size))
