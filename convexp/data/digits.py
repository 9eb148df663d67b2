"""The handwritten digits that are bundled with scikit-learn, so that nothing is downloaded."""

from typing import Any

import torch
from sklearn.datasets import load_digits

from convexp.data.source import Source
from convexp.data.split import stratified_split


def digits(test_size: int | float, split_seed: int) -> Source:
    """Return 1,797 images of 8x8 pixels in ten classes. Their values 0..16 are scaled to 0..255 and rounded.

    Source: E. Alpaydin & C. Kaynak 1998, Optical Recognition of Handwritten Digits (UCI), test part, as scikit-learn has it.

    Args:
        test_size: Number or share of the samples that are held out for testing, stratified.
        split_seed: Seed of this split.
    """
    bunch: Any = load_digits()
    images = (torch.from_numpy(bunch.images) * (255 / 16)).round().to(torch.uint8)[:, None]  # (N, 1, 8, 8)
    labels = torch.from_numpy(bunch.target).long()  # (N,)
    train, test = stratified_split(labels, test_size, split_seed, "data.source.test_size")
    return Source(images[train], labels[train], images[test], labels[test])
