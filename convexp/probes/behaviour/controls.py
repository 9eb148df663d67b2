"""What the value of a probe is compared with: images of other classes, and the images that are classified correctly."""

import torch
from torch import Tensor


def other_class_indices(labels: Tensor, seed: int = 0) -> Tensor | None:
    """Draw for each image the index of an image of another class, uniformly over these.

    Args:
        labels: Labels, ``(N,)`` int64.
        seed: Seed of the draw.

    Returns:
        Indices, ``(N,)`` int64, or None if all images are of one class.
    """
    left = _others(labels)
    if not bool((left > 0).all()):
        return None
    generator = torch.Generator().manual_seed(seed)
    rank = (torch.rand(len(labels), dtype=torch.float64, generator=generator).to(labels.device) * left).long()
    return _other_image(labels, torch.arange(len(labels), device=labels.device), rank)


def other_class_pairs(labels: Tensor, n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Draw pairs of images of different classes, uniformly over all such pairs, with replacement.

    Args:
        labels: Labels, ``(N,)`` int64, of at least two classes.
        n: Number of pairs.
        seed: Seed of the draw.

    Returns:
        Indices of the first and of the second images, ``(n,)`` int64 each.
    """
    ends = _others(labels).cumsum(0)  # of the pairs of each image, if all pairs are numbered
    pair = torch.randint(int(ends[-1]), (n,), generator=torch.Generator().manual_seed(seed)).to(labels.device)
    first = torch.searchsorted(ends, pair, right=True)
    return first, _other_image(labels, first, ends[first] - pair - 1)


def _others(labels: Tensor) -> Tensor:
    """The number of images of other classes than that of each image, ``(N,)``."""
    return len(labels) - labels.bincount()[labels]


def _other_image(labels: Tensor, images: Tensor, rank: Tensor) -> Tensor:
    """The image at a place, from 0 on, among those of other classes than that of each of ``images``; both ``(n,)``."""
    by_class = labels.argsort(stable=True)
    sizes, own = labels.bincount(), labels[images]
    start = sizes.cumsum(0) - sizes
    return by_class[rank + (rank >= start[own]) * sizes[own]]  # skips the image's own class


def mean_over_subsets(values: Tensor, correct: Tensor, name: str = "") -> dict[str, float]:
    """Compute the mean of a value over all images, and over those that are classified correctly.

    A more accurate network looks more consistent by its accuracy alone (Zhang 2019, arXiv 1904.11486), so that probes report
    both.

    Args:
        values: One value for each image, ``(N,)``.
        correct: Whether each image is classified correctly, ``(N,)`` bool.
        name: Name of the value.

    Returns:
        The means under ``name`` and ``<name>_correct``, or under ``all`` and ``correct`` if there is no name. The second is
        absent if no image is classified correctly.
    """
    prefix = f"{name}_" if name else ""
    means = {name or "all": float(values.double().mean())}
    if bool(correct.any()):
        means[f"{prefix}correct"] = float(values[correct].double().mean())
    return means
