"""The handwritten digits that are bundled with scikit-learn, so that nothing is downloaded."""

import gzip
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from convexp.data.source import Source
from convexp.data.split import stratified_split


def digits(test_size: int | float, split_seed: int) -> Source:
    """Return 1,797 images of 8x8 pixels in ten classes. Their values 0..16 are scaled to 0..255 and rounded.

    Source: E. Alpaydin & C. Kaynak 1998, Optical Recognition of Handwritten Digits (UCI), test part, as scikit-learn has it.

    Args:
        test_size: Number or share of the samples that are held out for testing, stratified.
        split_seed: Seed of this split.
    """
    table = _table()
    images = (torch.from_numpy(table[:, :-1].reshape(-1, 1, 8, 8)) * (255 / 16)).round().to(torch.uint8)  # (N, 1, 8, 8)
    labels = torch.from_numpy(table[:, -1]).long()  # (N,)
    train, test = stratified_split(labels, test_size, split_seed, "data.source.test_size")
    return Source(images[train], labels[train], images[test], labels[test])


def _table() -> NDArray[np.float64]:
    """The pixels and the label of each image, ``(N, 65)``, from scikit-learn's file: to import it takes half a second."""
    package = find_spec("sklearn")
    for folder in (package and package.submodule_search_locations) or ():
        if (file := Path(folder, "datasets", "data", "digits.csv.gz")).is_file():
            with gzip.open(file, "rt") as lines:
                return np.loadtxt(lines, delimiter=",")
    from sklearn.datasets import load_digits  # a version that has the file elsewhere

    pixels_and_labels: Any = load_digits(return_X_y=True)
    return np.column_stack(pixels_and_labels)
