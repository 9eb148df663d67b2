"""Decoded images on disk, with their labels, checksums and moments."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from convexp.data.cache import load_mapped
from convexp.data.source import CHUNK, Precomputed, Source, checksum, moments
from convexp.files.json_files import read_json, write_json


def write_labels(folder: Path, labels: Tensor, train: int) -> None:
    """Write what ``read_source`` needs beside the array ``folder/images.npy``.

    Args:
        folder: The folder that holds the array.
        labels: Labels of all images, ``(N,)`` int64, the training part first.
        train: Number of images in the training part.
    """
    images = load_mapped(folder / "images.npy")
    parts = (images[:train], labels[:train], images[train:], labels[train:])
    sums = torch.cat([moments(chunk) for chunk in parts[0].split(CHUNK)])
    for name, tensor in (("labels", labels), ("moments", sums)):
        np.save(folder / f"{name}.npy", tensor.numpy())
    write_json(folder / "about.json", {"learn": train, "checksum": checksum(*parts), "moments": checksum(sums)})


def read_source(folder: Path) -> Source:
    """Read the memory-mapped images of a folder, and compare their checksums with those that were written.

    Raises:
        ValueError, EOFError, KeyError, FileNotFoundError: If a file is missing, truncated or altered.
    """
    about = read_json(folder / "about.json") or {}
    train, images, sums = int(about["learn"]), load_mapped(folder / "images.npy"), load_mapped(folder / "moments.npy")
    labels = torch.from_numpy(np.load(folder / "labels.npy"))
    parts = (images[:train], labels[:train], images[train:], labels[train:])
    found = checksum(*parts)
    if found != about["checksum"] or checksum(sums) != about["moments"]:
        raise ValueError("the arrays are not those that were written")
    return Source(*parts, Precomputed(found, sums))
