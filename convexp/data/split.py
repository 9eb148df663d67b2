"""Stratified splits and subsets, which keep the shares of the classes and depend on a recorded seed alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor

import torch
from torch import Tensor

from convexp.data.rng import generator
from convexp.errors import ConfigError
from convexp.geometry.subset_size import check_subset_size

ENDS = ("amin", "amax")  # of the places of a class


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


def stratified_split(
    labels: Tensor, size: int | float, seed: int, setting: str, names: Sequence[str] | None = None, of_which: str = ""
) -> tuple[Tensor, Tensor]:
    """Hold out a stratified subset.

    Args:
        labels: Labels, ``(N,)`` int64.
        size: Number of samples to hold out, or their share of all.
        seed: Seed of the split.
        setting: Name of the setting that gives ``size``, for messages.
        names: Names of the classes, for messages; None if they have none but their numbers.
        of_which: Which samples these are, for messages: what follows on "the 34 samples"; empty if they are all.

    Returns:
        Sorted indices of the samples that remain, and of those that are held out.

    Raises:
        ConfigError: If a class would have no samples in either part.
    """
    take = subset_size(size, len(labels), setting)
    order = stratified_order(labels, seed)
    classes = _Classes.of(labels[order], names, of_which)
    if classes.least > classes.most:
        raise ConfigError(f"{setting}={size}: {classes.scarcest()}, and needs two, one to hold out and one to leave")
    if take < classes.least:
        right = _spelled(classes.least, size, len(labels), ceil)
        raise ConfigError(f"{setting}={size}: {classes.without(take)} would be held out; should be {right} or more")
    if take > classes.most:
        right = _spelled(classes.most, size, len(labels), floor)
        raise ConfigError(f"{setting}={size}: {classes.without_after(take)} would be left; should be {right} or less")
    return order[take:].sort().values, order[:take].sort().values


def stratified_subset(
    labels: Tensor, size: int | float | None, seed: int, setting: str, names: Sequence[str] | None = None, of_which: str = ""
) -> Tensor:
    """Choose a stratified subset. With the same seed a smaller subset is part of every larger one.

    Args:
        labels: Labels, ``(N,)`` int64.
        size: Number of samples, or their share of all, or None for all.
        seed: Seed of the choice.
        setting: Name of the setting that gives ``size``, for messages.
        names: Names of the classes, for messages, as in ``stratified_split``.
        of_which: Which samples these are, for messages, likewise.

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
    order = stratified_order(labels, seed)
    classes = _Classes.of(labels[order], names, of_which)
    if take < classes.least:
        right = _spelled(classes.least, size, len(labels), ceil)
        raise ConfigError(f"{setting}={size}: {classes.without(take)} would be left; should be {right} or more")
    return order[:take].sort().values


@dataclass(frozen=True)
class _Classes:
    """Where the samples of each class lie in an order of all samples, and the words for them in messages.

    Attributes:
        names: Name or number of each class.
        counts: Number of samples of each class.
        first: Place of the first sample of each class.
        last: Place of the last.
        of_which: Which samples these are.
    """

    names: list[str]
    counts: list[int]
    first: list[int]
    last: list[int]
    of_which: str

    @classmethod
    def of(cls, labels: Tensor, names: Sequence[str] | None, of_which: str) -> "_Classes":
        known, inverse, counts = labels.unique(return_inverse=True, return_counts=True)
        places = torch.arange(len(labels))
        first, last = (torch.zeros_like(known).scatter_reduce(0, inverse, places, how, include_self=False) for how in ENDS)
        numbers: list[int] = known.tolist()
        shown = [names[number] if names and number < len(names) else str(number) for number in numbers]
        return cls(shown, counts.tolist(), first.tolist(), last.tolist(), of_which)

    @property
    def least(self) -> int:
        """The smallest beginning of the order that has all classes."""
        return max(self.first) + 1

    @property
    def most(self) -> int:
        """The largest beginning of the order after which all classes follow."""
        return min(self.last)

    def without(self, take: int) -> str:
        """Name the first class of which none is among the first ``take`` samples."""
        return self._no_sample_of(next(c for c, place in enumerate(self.first) if place >= take))

    def without_after(self, take: int) -> str:
        """Name the first class of which none comes after the first ``take`` samples."""
        return self._no_sample_of(next(c for c, place in enumerate(self.last) if place < take))

    def scarcest(self) -> str:
        """Name the class with the fewest samples."""
        c = self.counts.index(min(self.counts))
        return f"class {self.names[c]} has {self._share(c)}"

    def _no_sample_of(self, c: int) -> str:
        return f"no sample of class {self.names[c]}, which has {self._share(c)},"

    def _share(self, c: int) -> str:
        return f"{self.counts[c]:,} of the {sum(self.counts):,} samples{self.of_which}"


def _spelled(number: int, size: int | float, total: int, towards: Callable[[float], int]) -> str:
    """A number of samples, as a share in as few digits as tell it if ``size`` is one."""
    if isinstance(size, int):
        return str(number)
    shares = (towards(number / total * 10**digits) / 10**digits for digits in range(1, 10))
    return str(next((share for share in shares if round(share * total) == number), number / total))
