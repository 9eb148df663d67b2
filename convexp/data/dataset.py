"""A data set ready for a run: checked, split, placed on its canvas, with the statistics of its training images."""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from convexp.data.hierarchy import Hierarchy
from convexp.data.images import Images
from convexp.data.rng import draw_offsets, draw_order
from convexp.data.settings import DataSettings
from convexp.data.source import Source, checksum
from convexp.data.split import stratified_split, stratified_subset
from convexp.data.view import View
from convexp.errors import ConfigError
from convexp.geometry.placement import Offsets, OneOf, Placement
from convexp.machine.memory import check_fits


@dataclass(frozen=True)
class Dataset:
    """Images for training, validation and test.

    Attributes:
        train: Training images.
        val: Validation images.
        test: Test images.
        shifts: Shifts of the training images, drawn anew in every epoch.
        mean: Mean of the training images by channel, from 0 to 1, before they are placed on the canvas.
        std: Standard deviation of the training images by channel, on the same scale.
        checksum: Checksum of all images and labels of the source.
        split: Checksum of the indices of the training and validation images.
        objects: Bounding box of the object in each test image as the network sees it, ``(N, 2, D)`` int64: its first pixel and
            the pixel after its last, or -1 if there is none or it is not completely visible. None if the source knows no boxes.
        boxes: Bounding boxes in the source's own images, those of the training part and those of the test part; None if the
            source does not know them.
        notes: What the source notes in the result of a run.
        class_names: Name of each class, from class 0 on; None if they have none but their numbers.
        hierarchy: The rules by which the source made its images; None if there are none.
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
    boxes: tuple[Tensor, Tensor] | None = None
    notes: dict[str, Any] = field(default_factory=dict[str, Any])
    class_names: tuple[str, ...] | None = None
    hierarchy: Hierarchy | None = None

    def class_name(self, label: int) -> str:
        """Return the name of a class; its number if it has none."""
        names = self.class_names or ()
        return names[label] if label < len(names) else str(label)

    def batches(self, batch_size: int, eval_batch_size: int) -> tuple[int, int]:
        """Return the numbers of training and validation batches in an epoch; an incomplete training batch counts if alone."""
        return max(1, len(self.train) // batch_size), -(-len(self.val) // eval_batch_size)

    def with_targets(self, targets: str) -> "Dataset":
        """Return the data set whose batches have ``labels`` beside the images, or the boxes of ``objects``.

        Raises:
            ConfigError: If the source does not know where objects are.
        """
        if targets == "labels":
            return self
        if self.boxes is None:
            raise ConfigError("task: needs to know where objects are, and this data does not say; choose data=waldo")
        train, test = self.boxes
        return replace(
            self, train=self.train.with_boxes(train), val=self.val.with_boxes(train), test=self.test.with_boxes(test)
        )

    def to(self, device: torch.device) -> "Dataset":
        """Return the data set with its images on a GPU, where batches are then made.

        Images stay in main memory if ``device`` is not a GPU, if they are streamed, or if they take more than half of the GPU's
        free memory.
        """
        if device.type != "cuda" or self.train.workers:
            return self
        free, _ = torch.cuda.mem_get_info(device)
        if self.train.images.nbytes + self.test.images.nbytes > free / 2:
            return self
        images, labels = self.train.images.to(device), self.train.labels.to(device)  # shared by training and validation
        test = self.test.with_tensors(self.test.images.to(device), self.test.labels.to(device))
        return replace(
            self, train=self.train.with_tensors(images, labels), val=self.val.with_tensors(images, labels), test=test
        )


def prepare(settings: DataSettings, source: Source) -> Dataset:
    """Check a source against its settings, split it and place its images.

    Images that are in memory are not copied. Memory-mapped images are read into memory if they take at most ``memory_gb``, and
    are streamed by ``workers`` processes otherwise.

    Raises:
        ConfigError: If images, labels or sizes of the split are not what the settings say.
    """
    check_source(settings, source)
    placement, seed = settings.placement(), settings.split_seed
    labels, test_labels = source.train_labels, source.test_labels
    names = source.class_names
    rest, val = stratified_split(labels, settings.val_size, seed, "data.val_size", names, " that are not for testing")
    chosen = stratified_subset(
        labels[rest], settings.train_size, seed, "data.train_size", names, " that are for neither testing nor validation"
    )
    train = rest[chosen]
    mean, std = source.statistics(train)
    train_images, test_images, workers = _in_memory_or_streamed(settings, source)
    unshifted = OneOf(((0,) * len(placement.canvas_size),))
    order = None if settings.permute_pixels is None else draw_order(math.prod(placement.input_size), settings.permute_pixels)
    test_view = _view(placement, order, "test", len(test_labels), "test", placement.test, seed)
    train_view = _view(placement, order, "train", len(labels), "train", unshifted, seed)
    val_view = _view(placement, order, "train", len(labels), "val", placement.val, seed)
    return Dataset(
        train=Images(train_images, labels, train, train_view, workers),
        val=Images(train_images, labels, val, val_view, workers),
        test=Images(test_images, test_labels, None, test_view, workers),
        shifts=placement.train,
        mean=mean,
        std=std,
        checksum=source.checksum(),
        split=checksum(train, val),
        objects=None if source.test_objects is None or order is not None else test_view.boxes(source.test_objects),
        boxes=_boxes(source) if order is None else None,  # an object whose pixels are permuted has no box
        notes=source.notes,
        class_names=source.class_names,
        hierarchy=source.hierarchy,
    )


def _boxes(source: Source) -> tuple[Tensor, Tensor] | None:
    if source.train_objects is None or source.test_objects is None:
        return None
    return source.train_objects, source.test_objects


def _in_memory_or_streamed(settings: DataSettings, source: Source) -> tuple[Tensor, Tensor, int]:
    """Return the training and test images, read into memory if they are small enough, and the number of worker processes."""
    train, test = source.train_images, source.test_images
    if not source.memory_mapped:
        return train, test, 0
    size = train.nbytes + test.nbytes
    if size > settings.memory_gb * 1e9:
        return train, test, settings.workers
    check_fits(f"data.memory_gb={settings.memory_gb} (with a smaller value images are streamed)", {"the images": size})
    return train.clone(), test.clone(), 0


def _view(placement: Placement, order: Tensor | None, images: str, n: int, part: str, shifts: Offsets, seed: int) -> View:
    """Return a view of ``n`` images whose positions depend on ``images`` and whose shifts depend on ``part``."""
    positions = draw_offsets(placement.position, n, seed, images, "position")
    return View(placement, positions, draw_offsets(shifts, n, seed, part, "shift"), order)


def check_source(settings: DataSettings, source: Source) -> None:
    """Check that images and labels of a source are what ``Source`` and the settings say.

    Raises:
        ConfigError: If their types, their numbers, the shape of the images or the number of classes differ, if a part has no
            images, and if a class has test images alone.
    """
    name, shape = settings.name, tuple(settings.image_shape)
    for part, images, labels in (
        ("train", source.train_images, source.train_labels),
        ("test", source.test_images, source.test_labels),
    ):
        _check_type(f"data ({name}): {part}_images", images, torch.uint8, "pixels are 0 to 255")
        _check_type(f"data ({name}): {part}_labels", labels, torch.int64, "labels count from 0")
        if tuple(images.shape[1:]) != shape:
            raise ConfigError(f"data.image_shape={list(shape)}: the images have shape {list(images.shape[1:])}")
        if labels.shape != (len(images),):
            raise ConfigError(
                f"data ({name}): {part}_labels have shape {list(labels.shape)}; should be [{len(images)}], one for each image"
            )
    if not len(source.test_labels) or not len(source.train_labels):
        part = "test" if len(source.train_labels) else "training"
        raise ConfigError(f"data ({name}): there are no {part} images")
    labels = torch.cat((source.train_labels, source.test_labels))
    least, largest = int(labels.min()), int(labels.max())
    if least < 0:
        raise ConfigError(f"data.classes={settings.classes}: there is a label {least}; labels count from 0")
    if largest + 1 != settings.classes:
        raise ConfigError(
            f"data.classes={settings.classes}: there are labels up to {largest}, which makes {largest + 1} classes"
        )
    if source.class_names is not None and len(source.class_names) != settings.classes:
        raise ConfigError(
            f"data.classes={settings.classes}: there are {len(source.class_names)} class_names; should be one for each class"
        )
    known = source.train_labels.bincount(minlength=settings.classes) > 0
    unknown = source.test_labels[~known[source.test_labels]]
    if len(unknown):
        raise ConfigError(
            f"data ({name}): there are test images of class {int(unknown.min())}, and no training images; "
            "a class needs some to be learned"
        )


def _check_type(what: str, found: object, dtype: torch.dtype, why: str) -> None:
    if not isinstance(found, Tensor) or found.dtype != dtype:
        kind = f"of {found.dtype}" if isinstance(found, Tensor) else f"a {type(found).__module__}.{type(found).__name__}"
        raise ConfigError(f"{what} are {kind}; should be a tensor of {dtype}: {why}")
