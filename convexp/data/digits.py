"""scikit-learn's bundled handwritten digits: real images without a download."""

from typing import Any

import torch
from sklearn.datasets import load_digits

from convexp.data.source import Source
from convexp.data.split import held_out


def digits(test_size: int | float, split_seed: int) -> Source:
    """1,797 images 8x8 with values 0..16, scaled to 0..255 and rounded; ``test_size`` of them, stratified, to test on.

    Source: E. Alpaydin & C. Kaynak 1998, Optical Recognition of Handwritten Digits (UCI), test part, as scikit-learn has it.
    """
    bunch: Any = load_digits()
    images = (torch.from_numpy(bunch.images) * (255 / 16)).round().to(torch.uint8)[:, None]  # (N, 1, 8, 8)
    labels = torch.from_numpy(bunch.target).long()  # (N,)
    train, test = held_out(labels, test_size, split_seed, "data.source.test_size")
    return Source(images[train], labels[train], images[test], labels[test])
