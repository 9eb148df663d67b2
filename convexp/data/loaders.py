"""DataLoaders over images, for training and for evaluation."""

import multiprocessing
from collections.abc import Callable
from typing import Any

import torch
from torch.utils.data import DataLoader

from convexp.data.augment.augmenter import Augmenter
from convexp.data.chunks import Chunks
from convexp.data.epochs import Epochs, EpochSampler
from convexp.data.images import Batch, Images
from convexp.data.share import Share
from convexp.geometry.placement import Offsets
from convexp.machine.processes import ALONE, Place


def loader(images: Images, batch_size: int, place: Place = ALONE) -> DataLoader[Batch]:
    """Return a DataLoader that yields ``images`` in order, of each batch the share that ``place`` has."""
    whole = images if place.alone else Share(images, place)
    return DataLoader(whole, batch_size, shuffle=False, collate_fn=_as_it_is, **_options(images))


def training_loader(
    images: Images,
    batch_size: int,
    shifts: Offsets,
    seed: int,
    first: tuple[int, int] = (0, 0),
    augmenter: Augmenter | None = None,
    place: Place = ALONE,
    ahead: Callable[[], int] | None = None,
) -> DataLoader[Batch] | Chunks:
    """Return a loader that yields ``images`` in a new order, with new shifts and newly augmented, in every epoch.

    An incomplete last batch is dropped, unless it is the only one.

    Args:
        images: The training images.
        batch_size: Number of images in a batch, of all processes together.
        shifts: The shifts to draw from.
        seed: Seed of order, shifts and augmentation.
        first: The epoch of the first iteration and its first batch, counted from 0. A resumed run starts later.
        augmenter: How images are augmented; None if they are not.
        place: The place of this process among those that share every batch.
        ahead: If several batches are to be handed out at a time, returns the largest number of them that the next chunk may
            have. Images that other processes fetch are handed out batch by batch all the same.
    """
    # Lightning sets the epoch only after the workers of a resumed run have started.
    sampler = EpochSampler(len(images), seed, (first[0], first[1] * batch_size))
    epochs = Epochs(images, shifts, seed, augmenter)
    if ahead is not None and place.alone and not images.workers:
        return Chunks(epochs, sampler, batch_size, ahead)
    return DataLoader(
        epochs if place.alone else Share(epochs, place),
        batch_size,
        sampler=sampler,
        drop_last=len(images) > batch_size,
        collate_fn=_as_it_is,
        **_options(images),
    )


def _as_it_is(batch: Any) -> Any:
    """Return a batch unchanged, since ``__getitems__`` has already collated it."""
    return batch


def _options(images: Images) -> dict[str, Any]:
    # A loader without a generator draws from torch's global one whenever it starts.
    options: dict[str, Any] = {"generator": torch.Generator()}
    if images.workers:
        options |= {"num_workers": images.workers, "persistent_workers": True, "pin_memory": torch.cuda.is_available()}
        if "fork" in multiprocessing.get_all_start_methods():  # other start methods copy the memory-mapped images
            options["multiprocessing_context"] = "fork"
    return options
