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
    by_class = labels.argsort(stable=True)
    sizes = labels.bincount()
    start = sizes.cumsum(0) - sizes
    left = len(labels) - sizes[labels]  # (N,), number of images of other classes
    if not bool((left > 0).all()):
        return None
    generator = torch.Generator().manual_seed(seed)
    rank = (torch.rand(len(labels), dtype=torch.float64, generator=generator).to(labels.device) * left).long()
    rank += (rank >= start[labels]) * sizes[labels]  # skips the image's own class
    return by_class[rank]


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
