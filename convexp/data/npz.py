"""A data set from a user's arrays in an npz file."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from convexp.data import pixels
from convexp.data.source import Source
from convexp.data.split import mix_classes, stratified_split
from convexp.errors import ConfigError

# Names of the images and labels of each part, as this project, Keras and MedMNIST use them.
NAMES = {
    "train": (("train_images", "train_labels"), ("x_train", "y_train")),
    "val": (("val_images", "val_labels"), ("x_val", "y_val")),
    "test": (("test_images", "test_labels"), ("x_test", "y_test")),
    "all": (("images", "labels"), ("x", "y")),
}
UNREADABLE = (OSError, EOFError, ValueError, MemoryError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error)
MOST_CLASSES = 10**9  # Larger labels do not number classes.
Named = tuple[str, Any]


def npz(file: str, shape: list[int], test_size: int | float, split_seed: int) -> Source:
    """Read images and labels from an npz file.

    The arrays are named ``images`` and ``labels``, or ``train_images``, ``train_labels``, ``test_images`` and ``test_labels``
    (or ``x``, ``y``, ``x_train``, ...). A part ``val`` is added to the training part, since ``data.val_size`` chooses the
    validation images.

    Images are ``(N, C, H, W)``, ``(N, H, W, C)``, or ``(N, H, W)`` for one channel. All parts hold whole numbers 0..255, or all
    hold real numbers 0..1, which are multiplied by 255 and rounded. Labels are whole numbers, ``(N,)`` or ``(N, 1)``. The notes
    record the factor as ``pixel_scale``, 1 or 255.

    Args:
        file: Path of the npz file.
        shape: Shape of an image, (C, H, W), or of a signal, (C, L).
        test_size: Number or share of the samples that are held out for testing, stratified, if the file has no test part.
        split_seed: Seed of this split.

    Raises:
        ConfigError: If the file cannot be read, or an array is missing or invalid.
    """
    path = Path(file).expanduser()
    parts, scale = _parts(path, shape)
    notes = {"pixel_scale": scale}
    if "all" in parts:
        if others := [part for part in parts if part != "all"]:
            raise _error(path, f"holds images in parts ({', '.join(others)}) and images in none; should hold one of the two")
        images, labels = parts["all"]
        rest, held = stratified_split(labels, test_size, split_seed, "data.source.test_size")
        held = mix_classes(labels, held, split_seed)
        return Source(images[rest], labels[rest], images[held], labels[held], notes=notes)
    if not {"train", "test"} <= set(parts):
        raise _error(path, "should hold images and labels, or train_images, train_labels, test_images and test_labels")
    train, test = parts["train"], parts["test"]
    if "val" in parts:
        train = (torch.cat((train[0], parts["val"][0])), torch.cat((train[1], parts["val"][1])))
    order = mix_classes(test[1], torch.arange(len(test[1])), split_seed)
    return Source(*train, test[0][order], test[1][order], notes=notes)


def _error(path: Path, problem: str) -> ConfigError:
    return ConfigError(f"data.source.file={path}: {problem}")


def _parts(path: Path, shape: list[int]) -> tuple[dict[str, tuple[Tensor, Tensor]], int]:
    """Return images and labels of every part in the file, and the factor by which pixels were multiplied."""
    arrays = _arrays(path)
    images = {part: _ordered(path, *named, shape) for part, (named, _) in arrays.items()}
    try:
        scale = pixels.common_scale({named[0]: images[part] for part, (named, _) in arrays.items()})
    except ValueError as error:
        raise _error(path, str(error)) from None
    return {part: (pixels.to_uint8(images[part], scale), _labels(path, *named)) for part, (_, named) in arrays.items()}, scale


def _arrays(path: Path) -> dict[str, tuple[Named, Named]]:
    """Return the arrays of every part in the file, each with its name."""
    try:
        if not zipfile.is_zipfile(path):
            raise _error(path, "is not an npz file, or is damaged")
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {part: found for part in NAMES if (found := _part(path, arrays, part)) is not None}
    except UNREADABLE as error:
        raise _error(path, f"cannot be read ({error})") from None


def _part(path: Path, arrays: Any, part: str) -> tuple[Named, Named] | None:
    for names in NAMES[part]:
        present = [name for name in names if name in arrays]
        if len(present) == 1:
            raise _error(path, f"holds {present[0]}, but not {(set(names) - set(present)).pop()}")
        if present:
            images, labels = (_read(path, arrays, name) for name in names)
            if len(images) != len(labels) or not len(labels):
                counts = f"{names[0]} has {len(images)} entries, {names[1]} has {len(labels)}"
                raise _error(path, f"{counts}; should be equally many, and at least one")
            return (names[0], images), (names[1], labels)
    return None


def _read(path: Path, arrays: Any, name: str) -> Any:
    array = arrays[name]
    if not isinstance(array, np.ndarray):
        raise _error(path, f"{name} is not an array")
    if array.ndim == 0 or array.dtype.kind not in "biuf":
        raise _error(path, f"{name} has type {array.dtype} and shape {list(array.shape)}; should be an array of numbers")
    return array


def _labels(path: Path, name: str, labels: Any) -> Tensor:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if not bool(np.isfinite(labels).all()):
        raise _error(path, f"{name} hold values that are not finite (NaN or infinity); should be whole numbers from 0")
    if labels.ndim != 1 or not bool(np.all(labels == np.round(labels))):
        raise _error(
            path, f"{name} has type {labels.dtype} and shape {list(labels.shape)}; should be one whole number per image"
        )
    if labels.min() < 0:
        raise _error(path, f"{name} hold {labels.min()}; labels count from 0")
    if labels.max() > MOST_CLASSES:
        raise _error(path, f"{name} hold {labels.max()}; labels should be at most {MOST_CLASSES}")
    return torch.from_numpy(labels.astype(np.int64))


def _ordered(path: Path, name: str, images: Any, shape: list[int]) -> Any:
    """Return images with their axes in the order ``(N, C, H, W)``."""
    channels, *size = shape
    if list(images.shape[1:]) == [*size, channels] != shape:
        images = np.moveaxis(images, -1, 1)
    elif list(images.shape[1:]) == size and channels == 1:
        images = images[:, None]
    if list(images.shape[1:]) != shape:
        raise ConfigError(f"data.image_shape={shape}: the images in {name} of {path} have shape {list(images.shape[1:])}")
    return images
