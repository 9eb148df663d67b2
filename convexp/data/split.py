"""Splits that keep the shares of the classes and depend on a recorded seed alone."""

import torch
from torch import Tensor

from convexp.errors import ConfigError


def stratified(labels: Tensor, size: int, seed: int, setting: str) -> tuple[Tensor, Tensor]:
    """Indices of the rest and of ``size`` samples held out, the latter with the shares of the classes kept.

    Each class gives ``floor(size * share)`` samples, the classes with the largest remainders one more. Both index tensors
    are sorted.

    Args:
        labels: (N,) int64.
        size: how many to hold out.
        seed: of the permutation within each class.
        setting: the name of ``size`` in the configuration, for the error message.

    Raises:
        ConfigError: if nothing would be left of a class, or nothing held out of it.
    """
    counts = torch.bincount(labels)
    exact = counts.double() * size / len(labels)
    take = exact.floor().long()
    remainder_order = torch.argsort(exact - take, descending=True, stable=True)
    take[remainder_order[: size - int(take.sum())]] += 1
    present = counts > 0
    if size >= len(labels) or bool((take[present] < 1).any()) or bool((take[present] >= counts[present]).any()):
        raise ConfigError(f"{setting}={size}: should leave and take at least one of each class, of {len(labels)} samples")
    generator = torch.Generator().manual_seed(seed)
    held = [
        (labels == c).nonzero()[:, 0][torch.randperm(int(counts[c]), generator=generator)[: int(take[c])]]
        for c in range(len(counts))
    ]
    mask = torch.zeros(len(labels), dtype=torch.bool)
    mask[torch.cat(held)] = True
    return (~mask).nonzero()[:, 0], mask.nonzero()[:, 0]
