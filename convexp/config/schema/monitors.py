"""Which way a metric improves, known from its name."""

import re
from typing import Literal

Direction = Literal["min", "max"]

FALLING = {"loss", "error", "distance", "ece", "nll", "mae", "mse", "rmse"}
RISING = {"acc", "accuracy", "auc", "f1", "iou", "dice", "precision", "recall", "within"}


def direction(metric: str) -> Direction | None:
    """``max`` if a larger value of the metric is better, ``min`` if a smaller one is; None if its name does not tell."""
    words = set(re.split(r"[/_\-. ]", metric.lower()))
    if words & FALLING:
        return "min"
    return "max" if words & RISING else None
