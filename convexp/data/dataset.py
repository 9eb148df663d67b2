"""A data set ready for a run: split, placed on its canvas, with the statistics of its training images."""

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from convexp.data.batches import Images, View
from convexp.data.rng import draw
from convexp.data.source import Source, checksum
from convexp.data.split import beginning, held_out
from convexp.errors import ConfigError
from convexp.geometry.placement import Offsets, OneOf, Placement
from convexp.machine.memory import check_fits


@dataclass(frozen=True)
class Dataset:
    """Images to train, validate and test on, the shifts of training, and the mean and deviation (0..1) by channel.

    The statistics are those of the training images before they were placed on the canvas. ``split`` is a checksum of which
    images are trained and validated on. ``objects`` (N, 2, D) says where on the test images, as they are seen, the object to be
    found lies (first pixel, one after the last), -1 where there is none or it has left them; None where that is not known.
    ``notes`` are those of the source.
    """

    train: Images
    val: Images
    test: Images
    shifts: Offsets
    mean: list[float]
    std: list[float]
    checksum: str
    split: str
    objects: Tensor | None = None
    notes: dict[str, Any] = field(default_factory=dict[str, Any])

    def to(self, device: torch.device) -> "Dataset":
        """The same data on a GPU, so that batches are made there; streamed images, or too many for it, stay in memory."""
        if device.type != "cuda" or self.train.workers:
            return self
        free, _ = torch.cuda.mem_get_info(device)
        if self.train.images.nbytes + self.test.images.nbytes > free / 2:
            return self
        learn, labels = self.train.images.to(device), self.train.labels.to(device)  # of validation too
        test = self.test.moved(self.test.images.to(device), self.test.labels.to(device))
        return replace(self, train=self.train.moved(learn, labels), val=self.val.moved(learn, labels), test=test)


class Settings(Protocol):
    """The settings of a data set that are needed here (``convexp.config.schema.Data``, conf/data/)."""

    @property
    def name(self) -> str:
        """Name of the data set, for messages."""
        ...

    @property
    def image_shape(self) -> list[int]:
        """Shape (C, H, W) of an image as the source has it."""
        ...

    @property
    def classes(self) -> int:
        """Number of classes."""
        ...

    @property
    def train_size(self) -> int | float | None:
        """Number or share of the samples to train on; None for all that validation leaves."""
        ...

    @property
    def val_size(self) -> int | float:
        """Number or share of the samples to validate on."""
        ...

    @property
    def split_seed(self) -> int:
        """Seed of the split, of the places on the canvas and of the shifts that are drawn once."""
        ...

    @property
    def memory_gb(self) -> float:
        """Size in GB (10^9 bytes) up to which memory-mapped images are read into memory."""
        ...

    @property
    def workers(self) -> int:
        """Number of processes that stream larger ones."""
        ...

    def placement(self) -> Placement:
        """Where the images lie on their canvas and how far they move."""
        ...


def prepare(settings: Settings, source: Source) -> Dataset:
    """Check the source against what the configuration says of it, split and place it.

    Images in memory stay where they are; those of a memory-mapped file are read into memory if they are no more than
    ``memory_gb``, or else streamed by ``workers``.

    Raises:
        ConfigError: if the images or labels are not what the configuration says.
    """
    check(settings, source)
    learn, labels = source.train_images, source.train_labels
    test, test_labels = source.test_images, source.test_labels
    placement, seed = settings.placement(), settings.split_seed
    rest, val = held_out(labels, settings.val_size, seed, "data.val_size")
    train = rest[beginning(labels[rest], settings.train_size, seed, "data.train_size")]
    mean, std = source.statistics(train)
    workers = 0
    if source.stored is not None:
        if learn.nbytes + test.nbytes > settings.memory_gb * 1e9:
            workers = settings.workers
        else:
            setting = f"data.memory_gb={settings.memory_gb} (a smaller one has the images streamed)"
            check_fits(setting, {"the images": learn.nbytes + test.nbytes})
            learn, test = learn.clone(), test.clone()

    def seen(array: str, n: int, part: str, shifts: Offsets) -> View:
        return View(placement, draw(placement.position, n, seed, array, "position"), draw(shifts, n, seed, part, "shift"))

    tested = seen("test", len(test_labels), "test", placement.test)
    still = OneOf(((0,) * len(placement.canvas_size),))
    return Dataset(
        train=Images(learn, labels, train, seen("train", len(labels), "train", still), workers),
        val=Images(learn, labels, val, seen("train", len(labels), "val", placement.val), workers),
        test=Images(test, test_labels, None, tested, workers),
        shifts=placement.train,
        mean=mean,
        std=std,
        checksum=source.checksum(),
        split=checksum(train, val),
        objects=None if source.test_objects is None else tested.boxes(source.test_objects),
        notes=source.notes,
    )


def check(settings: Settings, source: Source) -> None:
    """Raise a ConfigError unless images and labels are what the configuration says."""
    shape = tuple(settings.image_shape)
    for images in (source.train_images, source.test_images):
        if tuple(images.shape[1:]) != shape:
            raise ConfigError(f"data.image_shape={list(shape)}: the images are {list(images.shape[1:])}")
    if not len(source.test_labels) or not len(source.train_labels):
        part = "test on" if len(source.train_labels) else "learn from"
        raise ConfigError(f"data ({settings.name}): there are no images to {part}")
    labels = torch.cat((source.train_labels, source.test_labels))
    least, largest = int(labels.min()), int(labels.max())
    if least < 0:
        raise ConfigError(f"data.classes={settings.classes}: there is a label {least}; classes count from 0")
    if largest + 1 != settings.classes:
        raise ConfigError(
            f"data.classes={settings.classes}: there are labels up to {largest}, which makes {largest + 1} classes"
        )
