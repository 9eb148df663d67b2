"""Stratified splits and subsets, which keep the shares of the classes and depend on a recorded seed alone."""

import torch
from torch import Tensor

from convexp.data.rng import generator
from convexp.errors import ConfigError
from convexp.geometry.subset_size import check_subset_size


def stratified_order(labels: Tensor, seed: int) -> Tensor:
    """Return the indices of all samples in an order whose every beginning keeps the shares of the classes.

    Within a class the order is random. Sample j of the n samples of a class (j = 0, 1, ...) is put at ``(j + 1/2) / n`` of the
    way (Webster's method of apportionment). Smaller subsets are thus parts of larger ones, and for classes of equal size the
    counts in a beginning differ by at most 1.

    Args:
        labels: Labels, ``(N,)`` int64.
        seed: Seed of the permutation within each class.
    """
    drawn = generator(seed, "split")
    position = torch.empty(len(labels), dtype=torch.float64)
    for c in labels.unique().tolist():
        members = (labels == c).nonzero()[:, 0]
        shuffled = members[torch.randperm(len(members), generator=drawn)]
        position[shuffled] = (torch.arange(len(members), dtype=torch.float64) + 0.5) / len(members)
    by_class = torch.argsort(labels, stable=True)  # of two samples at the same position the one of the lower class comes first
    return by_class[torch.argsort(position[by_class], stable=True)]


def subset_size(size: int | float, total: int, setting: str) -> int:
    """Return a size in samples that is given as a number of samples or as a share of ``total``, which is rounded.

    Raises:
        ConfigError: If ``size`` is neither. The message names ``setting``.
    """
    try:
        check_subset_size(size)
    except ValueError as error:
        raise ConfigError(f"{setting}={size}: {error}") from None
    return size if isinstance(size, int) else round(size * total)


def mix_classes(labels: Tensor, rows: Tensor, seed: int) -> Tensor:
    """Return ``rows`` in a stratified order, so that their beginning, which probes look at, has all classes.

    Files and arrays are often sorted by class.

    Args:
        labels: Labels of all samples, ``(N,)`` int64.
        rows: Indices of samples, ``(n,)`` int64.
        seed: Seed of the order.
    """
    return rows[stratified_order(labels[rows], seed)]


def stratified_split(labels: Tensor, size: int | float, seed: int, setting: str) -> tuple[Tensor, Tensor]:
    """Hold out a stratified subset.

    Args:
        labels: Labels, ``(N,)`` int64.
        size: Number of samples to hold out, or their share of all.
        seed: Seed of the split.
        setting: Name of the setting that gives ``size``, for messages.

    Returns:
        Sorted indices of the samples that remain, and of those that are held out.

    Raises:
        ConfigError: If a class would have no samples in either part.
    """
    take = subset_size(size, len(labels), setting)
    order = stratified_order(labels, seed)
    held_out, rest = order[:take].sort().values, order[take:].sort().values
    _check_classes(labels, (held_out, "held out"), (rest, "left"), setting=f"{setting}={size}")
    return rest, held_out


def stratified_subset(labels: Tensor, size: int | float | None, seed: int, setting: str) -> Tensor:
    """Choose a stratified subset. With the same seed a smaller subset is part of every larger one.

    Args:
        labels: Labels, ``(N,)`` int64.
        size: Number of samples, or their share of all, or None for all.
        seed: Seed of the choice.
        setting: Name of the setting that gives ``size``, for messages.

    Returns:
        Sorted indices of the chosen samples.

    Raises:
        ConfigError: If there are fewer samples, or none of a class would be chosen.
    """
    if size is None:
        return torch.arange(len(labels))
    take = subset_size(size, len(labels), setting)
    if take > len(labels):
        raise ConfigError(
            f"{setting}={size}: there are {len(labels)} samples to train on; set a smaller number, or null for all"
        )
    chosen = stratified_order(labels, seed)[:take].sort().values
    _check_classes(labels, (chosen, "left"), setting=f"{setting}={size}")
    return chosen


def _check_classes(labels: Tensor, *parts: tuple[Tensor, str], setting: str) -> None:
    classes, inverse = labels.unique(return_inverse=True)
    counts = torch.bincount(inverse)
    for rows, verb in parts:
        missing = torch.bincount(inverse[rows], minlength=len(counts)) == 0
        if bool(missing.any()):
            c = int(missing.nonzero()[0])
            raise ConfigError(
                f"{setting}: no sample of class {int(classes[c])} would be {verb}, and it has {int(counts[c])}; "
                "every class needs at least one"
            )
