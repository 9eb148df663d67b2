"""Learning-rate schedules.

Each multiplies the optimizer's learning rate by a closed form of the fraction ``t`` of all steps that is done. They step after
every batch.
"""

import math
from collections.abc import Sequence

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def one_cycle(optimizer: Optimizer, total_steps: int, warmup: float) -> LambdaLR:
    """Raise the rate from 1/25 of it to all of it, then lower it to 1e-4 of it, both along half a cosine.

    Source: Smith & Topin 2018, arXiv 1708.07120, without the cycle of the momentum.

    Args:
        optimizer: Optimizer whose rates are scheduled.
        total_steps: Number of training steps.
        warmup: Fraction of the steps during which the rate rises, at least 0 and below 1.

    Raises:
        ValueError: if ``warmup`` is out of range.
    """
    if not 0 <= warmup < 1:
        raise ValueError(f"warmup={warmup}: should be at least 0 and below 1")

    def factor(step: int) -> float:
        t = step / total_steps
        if t < warmup:
            return _cosine(1 / 25, 1.0, t / warmup)
        return _cosine(1.0, 1e-4, (t - warmup) / (1 - warmup))

    return LambdaLR(optimizer, factor)


def cosine(optimizer: Optimizer, total_steps: int) -> LambdaLR:
    """Lower the rate to 0 along half a cosine, ``(1 + cos(pi * t)) / 2``.

    Source: Loshchilov & Hutter 2017, arXiv 1608.03983, without restarts.

    Args:
        optimizer: Optimizer whose rates are scheduled.
        total_steps: Number of training steps.
    """
    return LambdaLR(optimizer, lambda step: _cosine(1.0, 0.0, step / total_steps))


def step(optimizer: Optimizer, total_steps: int, milestones: Sequence[float], factor: float) -> LambdaLR:
    """Multiply the rate by ``factor`` at each of the ``milestones``.

    Args:
        optimizer: Optimizer whose rates are scheduled.
        total_steps: Number of training steps.
        milestones: Fractions of all steps, between 0 and 1.
        factor: Factor at each milestone, above 0.

    Raises:
        ValueError: if a milestone or ``factor`` is out of range.
    """
    if any(not 0 < m < 1 for m in milestones):
        raise ValueError(f"milestones={list(milestones)}: should be shares of all steps, between 0 and 1")
    if not factor > 0:
        raise ValueError(f"factor={factor}: should be above 0")
    return LambdaLR(optimizer, lambda s: factor ** sum(s / total_steps >= m for m in milestones))


def _cosine(start: float, end: float, t: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * min(t, 1.0))) / 2
