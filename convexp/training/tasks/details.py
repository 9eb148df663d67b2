"""What a test of a classifier finds beyond loss and accuracy: top-k, calibration, and which classes are confused."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from convexp.probes.base import Measurement

MAX_CLASSES = 100  # with more, the confusion matrix is left out of the record
SIDE = 400  # of the picture of the confusion matrix, in pixels


def measure_details(logits: Tensor, labels: Tensor, top_k: int, bins: int) -> Measurement:
    """Measure a classifier on all its logits.

    Args:
        logits: Logits, ``(N, K)`` float64.
        labels: Labels, ``(N,)`` int64.
        top_k: How many classes may be named.
        bins: Number of bins of the calibration error.

    Returns:
        Numbers: ``topk`` with k the smaller of ``top_k`` and K, and ``ece``. Maps: ``class_accuracy``, for each class (null
        without images); ``calibration`` (see ``calibration``); and, for up to 100 classes, ``confusion`` (see ``confusion``),
        of which there is a picture.
    """
    classes = logits.shape[1]
    k = min(top_k, classes)
    error, table = calibration(logits, labels, bins)
    matrix = confusion(logits.argmax(1), labels, classes)
    counts = matrix.sum(1)
    by_class = [float(matrix[i, i] / counts[i]) if counts[i] else None for i in range(classes)]
    named = (logits.topk(k).indices == labels[:, None]).any(1)
    maps: dict[str, Any] = {"class_accuracy": by_class, "calibration": table}
    if classes > MAX_CLASSES:
        return Measurement({f"top{k}": float(named.double().mean()), "ece": error}, maps)
    maps["confusion"] = matrix.tolist()
    return Measurement({f"top{k}": float(named.double().mean()), "ece": error}, maps, {"test/confusion": picture(matrix)})


def confusion(predicted: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Count how often images of each class (row) are predicted as each class (column), ``(K, K)`` int64."""
    return (labels * classes + predicted).bincount(minlength=classes**2).reshape(classes, classes)


def calibration(logits: Tensor, labels: Tensor, bins: int) -> tuple[float, dict[str, list[Any]]]:
    """Compute the expected calibration error ``sum_b n_b/N |acc_b - conf_b|`` (Guo et al. 2017, arXiv 1706.04599).

    The bins ``b`` divide the probability of the predicted class, from 0 to 1, into equal intervals.

    Args:
        logits: Logits, ``(N, K)``.
        labels: Labels, ``(N,)``.
        bins: Number of bins.

    Returns:
        The error, and for each bin ``count``, ``confidence`` and ``accuracy``, the latter two None without images.
    """
    confidence, predicted = logits.softmax(1).max(1)
    correct = (predicted == labels).to(confidence.dtype)
    place = (confidence * bins).ceil().long().sub(1).clamp(0, bins - 1)  # (b/bins, (b+1)/bins]
    count = place.bincount(minlength=bins).to(confidence.dtype)
    sums = [place.bincount(values, bins) for values in (confidence, correct)]
    error = float((sums[1] - sums[0]).abs().sum() / len(labels))
    means = [[float(s / n) if n else None for s, n in zip(values, count, strict=True)] for values in sums]
    return error, {"count": [int(n) for n in count], "confidence": means[0], "accuracy": means[1]}


def picture(matrix: Tensor) -> Tensor:
    """Draw a confusion matrix, each row as shares of its class, from white to dark blue: ``(3, H, W)`` uint8."""
    shares = matrix / matrix.sum(1, keepdim=True).clamp(1)
    from matplotlib import colormaps  # late: a run draws only after its training

    colours = torch.from_numpy(colormaps["Blues"](shares.numpy())[..., :3]).movedim(-1, 0)  # (3, K, K)
    large = F.interpolate(colours[None], scale_factor=max(1, SIDE // len(matrix)), mode="nearest")[0]
    return (large * 255).round().to(torch.uint8)
