"""Splits that keep the shares of the classes and depend on a recorded seed alone."""

import torch
from torch import Tensor

from convexp.data.rng import generator
from convexp.errors import ConfigError
from convexp.geometry.subset_size import check_subset_size


def stratified_order(labels: Tensor, seed: int) -> Tensor:
    """All samples in an order of which every beginning has the shares of the classes.

    Within a class the order is random; the j-th of its n samples (j = 0, 1, ...) comes at ``(j + 1/2) / n`` of the way
    (Webster's rule of apportionment). So smaller sets lie within larger ones, and for classes of equal size the counts in
    a beginning of any length differ by one at most.

    Args:
        labels: (N,) int64.
        seed: of the permutation within each class.
    """
    drawn = generator(seed, "split")
    at = torch.empty(len(labels), dtype=torch.float64)
    for c in labels.unique().tolist():
        members = (labels == c).nonzero()[:, 0]
        shuffled = members[torch.randperm(len(members), generator=drawn)]
        at[shuffled] = (torch.arange(len(members), dtype=torch.float64) + 0.5) / len(members)
    by_class = torch.argsort(labels, stable=True)  # so that of two at the same place the lower class comes first
    return by_class[torch.argsort(at[by_class], stable=True)]


def number(size: int | float, total: int, setting: str) -> int:
    """``size`` samples, or that share of ``total`` rounded.

    Raises:
        ConfigError: naming ``setting``, if it is neither.
    """
    try:
        check_subset_size(size)
    except ValueError as error:
        raise ConfigError(f"{setting}={size}: {error}") from None
    return size if isinstance(size, int) else round(size * total)


def mixed(labels: Tensor, rows: Tensor, seed: int) -> Tensor:
    """``rows`` in an order that mixes the classes: files are often sorted by class, and probes look at the first so many."""
    return rows[stratified_order(labels[rows], seed)]


def held_out(labels: Tensor, size: int | float, seed: int, setting: str) -> tuple[Tensor, Tensor]:
    """Indices, sorted, of the rest and of ``size`` samples (or that share of all) that are held out, stratified.

    Raises:
        ConfigError: naming ``setting``, if nothing would be left of a class, or nothing held out of it.
    """
    take = number(size, len(labels), setting)
    order = stratified_order(labels, seed)
    held, rest = order[:take].sort().values, order[take:].sort().values
    _check_classes(labels, (held, "held out"), (rest, "left"), setting=f"{setting}={size}")
    return rest, held


def beginning(labels: Tensor, size: int | float | None, seed: int, setting: str) -> Tensor:
    """Indices, sorted, of ``size`` samples (or that share of all), stratified; a smaller set is part of every larger one.

    Raises:
        ConfigError: naming ``setting``, if there are not so many samples, or none of a class is among them.
    """
    if size is None:
        return torch.arange(len(labels))
    take = number(size, len(labels), setting)
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
            at = int(missing.nonzero()[0])
            raise ConfigError(
                f"{setting}: no sample of class {int(classes[at])} would be {verb}, of {int(counts[at])} that there are; "
                "every class needs one"
            )
