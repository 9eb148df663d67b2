"""Arrays that a user has, in an npz file."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from convexp.data import pixels
from convexp.data.source import Source
from convexp.data.split import held_out, mixed
from convexp.errors import ConfigError

# Names of the images and labels of a part, as they are found in the wild: ours, Keras's, MedMNIST's.
NAMES = {
    "train": (("train_images", "train_labels"), ("x_train", "y_train")),
    "val": (("val_images", "val_labels"), ("x_val", "y_val")),
    "test": (("test_images", "test_labels"), ("x_test", "y_test")),
    "all": (("images", "labels"), ("x", "y")),
}
MOST_CLASSES = 10**9  # that is, what is no class at all
Named = tuple[str, Any]


def npz(file: str, shape: list[int], test_size: int | float, split_seed: int) -> Source:
    """The arrays in ``file``: ``images``, ``labels``, or ``train_images``, ``train_labels``, ``test_images``, ``test_labels``.

    ``x_train`` and so on, and ``x``, ``y``, are understood too; a ``val`` part is learned from, since ``data.val_size`` says
    what validates. Images are ``(N, C, H, W)``, ``(N, H, W, C)``, or ``(N, H, W)`` of one channel, with whole numbers 0..255,
    or real numbers 0..1, which are scaled to 0..255 and rounded: all parts alike. Labels are whole numbers, ``(N,)`` or
    ``(N, 1)``. The result notes the ``pixel_scale``, 1 or 255.

    Args:
        file: the npz file.
        shape: (C, H, W) or (C, L) of an image.
        test_size: how many, or which share, are held out, stratified, where there is no test part.
        split_seed: of these.

    Raises:
        ConfigError: naming the file and the array that is missing or not as it should be.
    """
    path = Path(file).expanduser()
    parts, scale = _parts(path, shape)
    notes = {"pixel_scale": scale}
    if "all" in parts:
        whole, labels = parts["all"]
        rest, held = held_out(labels, test_size, split_seed, "data.source.test_size")
        held = mixed(labels, held, split_seed)
        return Source(whole[rest], labels[rest], whole[held], labels[held], notes=notes)
    if not {"train", "test"} <= set(parts):
        raise _wrong(path, "should hold images and labels, or train_images, train_labels, test_images and test_labels")
    train, test = parts["train"], parts["test"]
    if "val" in parts:
        train = (torch.cat((train[0], parts["val"][0])), torch.cat((train[1], parts["val"][1])))
    order = mixed(test[1], torch.arange(len(test[1])), split_seed)
    return Source(*train, test[0][order], test[1][order], notes=notes)


def _wrong(path: Path, what: str) -> ConfigError:
    return ConfigError(f"data.source.file={path}: {what}")


def _parts(path: Path, shape: list[int]) -> tuple[dict[str, tuple[Tensor, Tensor]], int]:
    """Images and labels of every part that is there, and what their pixels were multiplied with."""
    arrays = _arrays(path)
    images = {part: _ordered(path, *named, shape) for part, (named, _) in arrays.items()}
    try:
        scale = pixels.scale({named[0]: images[part] for part, (named, _) in arrays.items()})
    except ValueError as error:
        raise _wrong(path, str(error)) from None
    return {part: (pixels.as_bytes(images[part], scale), _labels(path, *named)) for part, (_, named) in arrays.items()}, scale


def _arrays(path: Path) -> dict[str, tuple[Named, Named]]:
    """Images and labels of every part that is there, each with its name in the file."""
    try:
        if not zipfile.is_zipfile(path):
            raise _wrong(path, "is no npz file, or damaged")
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {part: found for part in NAMES if (found := _part(path, arrays, part)) is not None}
    except (OSError, EOFError, ValueError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise _wrong(path, f"cannot be read ({error})") from None


def _part(path: Path, arrays: Any, part: str) -> tuple[Named, Named] | None:
    for names in NAMES[part]:
        there = [name for name in names if name in arrays]
        if len(there) == 1:
            raise _wrong(path, f"holds {there[0]}, and not {(set(names) - set(there)).pop()}")
        if there:
            images, labels = (_read(path, arrays, name) for name in names)
            if len(images) != len(labels) or not len(labels):
                raise _wrong(path, f"{names[0]} are {len(images)}, {names[1]} are {len(labels)}; should be as many, and some")
            return (names[0], images), (names[1], labels)
    return None


def _read(path: Path, arrays: Any, name: str) -> Any:
    array = arrays[name]
    if array.ndim == 0 or array.dtype.kind not in "biuf":
        raise _wrong(path, f"{name} should be an array of numbers, is of kind {array.dtype} and shape {list(array.shape)}")
    return array


def _labels(path: Path, name: str, labels: Any) -> Tensor:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if not bool(np.isfinite(labels).all()):
        raise _wrong(path, f"{name} hold values that are no finite numbers (NaN or infinity); should be whole numbers from 0")
    if labels.ndim != 1 or not bool(np.all(labels == np.round(labels))):
        raise _wrong(
            path, f"{name} should be one whole number per image, are of kind {labels.dtype} and shape {list(labels.shape)}"
        )
    if labels.min() < 0:
        raise _wrong(path, f"{name} hold {labels.min()}; classes count from 0")
    if labels.max() > MOST_CLASSES:
        raise _wrong(path, f"{name} hold {labels.max()}; should be numbers of classes, up to {MOST_CLASSES}")
    return torch.from_numpy(labels.astype(np.int64))


def _ordered(path: Path, name: str, images: Any, shape: list[int]) -> Any:
    """``(N, C, H, W)``, whatever the order of the axes was."""
    channels, *size = shape
    if list(images.shape[1:]) == [*size, channels] != shape:
        images = np.moveaxis(images, -1, 1)
    elif list(images.shape[1:]) == size and channels == 1:
        images = images[:, None]
    if list(images.shape[1:]) != shape:
        raise ConfigError(f"data.image_shape={shape}: {name} in {path} are {list(images.shape[1:])}")
    return images
