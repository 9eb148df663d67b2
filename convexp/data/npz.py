"""Arrays that a user has, in an npz file."""

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from convexp.data.source import CHUNK, Source
from convexp.data.split import held_out, mixed
from convexp.errors import ConfigError

# Names of the images and labels of a part, as they are found in the wild: ours, Keras's, MedMNIST's.
NAMES = {
    "train": (("train_images", "train_labels"), ("x_train", "y_train")),
    "val": (("val_images", "val_labels"), ("x_val", "y_val")),
    "test": (("test_images", "test_labels"), ("x_test", "y_test")),
    "all": (("images", "labels"), ("x", "y")),
}


def npz(file: str, shape: list[int], test_size: int | float, split_seed: int) -> Source:
    """The arrays in ``file``: ``images``, ``labels``, or ``train_images``, ``train_labels``, ``test_images``, ``test_labels``.

    ``x_train`` and so on, and ``x``, ``y``, are understood too; a ``val`` part is learned from, since ``data.val_size`` says
    what validates. Images are ``(N, C, H, W)``, ``(N, H, W, C)``, or ``(N, H, W)`` of one channel, with whole numbers 0..255,
    or real numbers 0..1, which are scaled to 0..255 and rounded. Labels are whole numbers, ``(N,)`` or ``(N, 1)``.

    Args:
        file: the npz file.
        shape: (C, H, W) or (C, L) of an image.
        test_size: how many, or which share, are held out, stratified, where there is no test part.
        split_seed: of these.

    Raises:
        ConfigError: naming the file and the array that is missing or not as it should be.
    """
    path = Path(file).expanduser()
    try:
        if not zipfile.is_zipfile(path):
            raise _wrong(path, "is no npz file, or damaged")
        with path.open("rb") as file_, np.load(file_, allow_pickle=False) as arrays:
            parts = {part: _part(path, arrays, part, shape) for part in NAMES}
    except (OSError, EOFError, ValueError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise _wrong(path, f"cannot be read ({error})") from None
    whole, train, val, test = (parts[part] for part in ("all", "train", "val", "test"))
    if whole is not None:
        images, labels = whole
        rest, held = held_out(labels, test_size, split_seed, "data.source.test_size")
        held = mixed(labels, held, split_seed)
        return Source(images[rest], labels[rest], images[held], labels[held])
    if train is None or test is None:
        raise _wrong(path, "should hold images and labels, or train_images, train_labels, test_images and test_labels")
    if val is not None:
        train = (torch.cat((train[0], val[0])), torch.cat((train[1], val[1])))
    order = mixed(test[1], torch.arange(len(test[1])), split_seed)
    return Source(*train, test[0][order], test[1][order])


def _wrong(path: Path, what: str) -> ConfigError:
    return ConfigError(f"data.source.file={path}: {what}")


def _part(path: Path, arrays: Any, part: str, shape: list[int]) -> tuple[Tensor, Tensor] | None:
    """Images and labels of a part; None if there are none."""
    for names in NAMES[part]:
        there = [name for name in names if name in arrays]
        if len(there) == 1:
            raise _wrong(path, f"holds {there[0]}, and not {(set(names) - set(there)).pop()}")
        if there:
            images, labels = (_read(path, arrays, name) for name in names)
            if len(images) != len(labels) or not len(labels):
                raise _wrong(path, f"{names[0]} are {len(images)}, {names[1]} are {len(labels)}; should be as many, and some")
            return _images(path, names[0], images, shape), _labels(path, names[1], labels)
    return None


def _read(path: Path, arrays: Any, name: str) -> Any:
    array = arrays[name]
    if array.ndim == 0 or array.dtype.kind not in "biuf":
        raise _wrong(path, f"{name} should be an array of numbers, is of kind {array.dtype} and shape {list(array.shape)}")
    return array


def _labels(path: Path, name: str, labels: Any) -> Tensor:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or not bool(np.all(labels == np.round(labels))):
        raise _wrong(
            path, f"{name} should be one whole number per image, are of kind {labels.dtype} and shape {list(labels.shape)}"
        )
    if labels.min() < 0:
        raise _wrong(path, f"{name} hold {labels.min()}; classes count from 0")
    return torch.from_numpy(labels.astype(np.int64))


def _images(path: Path, name: str, images: Any, shape: list[int]) -> Tensor:
    """``(N, C, H, W)`` uint8, converted a chunk at a time."""
    channels, *size = shape
    if list(images.shape[1:]) == [*size, channels] != shape:
        images = np.moveaxis(images, -1, 1)
    elif list(images.shape[1:]) == size and channels == 1:
        images = images[:, None]
    if list(images.shape[1:]) != shape:
        raise ConfigError(f"data.image_shape={shape}: {name} in {path} are {list(images.shape[1:])}")
    scale = _scale(path, name, images)
    bytes_ = np.empty(images.shape, np.uint8)
    for start, chunk in _chunks(images):
        bytes_[start : start + len(chunk)] = chunk if scale == 1 else np.round(chunk * scale)
    return torch.from_numpy(bytes_)


def _chunks(images: Any) -> Iterator[tuple[int, Any]]:
    return ((start, images[start : start + CHUNK]) for start in range(0, len(images), CHUNK))


def _scale(path: Path, name: str, images: Any) -> int:
    """1 for whole numbers 0..255, 255 for real numbers 0..1 and for truth values."""
    if images.dtype == np.uint8:
        return 1
    if images.dtype.kind == "b":
        return 255
    whole, low, high = True, np.inf, -np.inf
    for start, chunk in _chunks(images):
        if not bool((fine := np.isfinite(chunk)).all()):
            image = start + int(np.argwhere(~fine)[0][0])
            raise _wrong(path, f"{name} hold values that are no finite numbers (NaN), the first in image {image}")
        whole = whole and bool((chunk == np.round(chunk)).all())
        low, high = min(low, float(chunk.min())), max(high, float(chunk.max()))
    if low >= 0 and high <= 255 and whole and (images.dtype.kind != "f" or high > 1):
        return 1
    if low >= 0 and high <= 1:
        return 255
    raise _wrong(path, f"{name} go from {low:g} to {high:g}; should be whole numbers 0..255 or real numbers 0..1")
