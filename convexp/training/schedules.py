"""Learning-rate schedules, each a closed form of the share of all steps that is done; they step after every batch."""

import math
from collections.abc import Sequence

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def one_cycle(optimizer: Optimizer, total_steps: int, warmup: float) -> LambdaLR:
    """From 1/25 of the rate up to it over the share ``warmup`` of the steps, then down to 1e-4 of it, both along a cosine.

    Source: Smith & Topin 2018, arXiv 1708.07120, without the cycle of the momentum.
    """
    if not 0 <= warmup < 1:
        raise ValueError(f"warmup={warmup}: should be at least 0 and below 1")

    def factor(step: int) -> float:
        done = step / total_steps
        if done < warmup:
            return _cosine(1 / 25, 1.0, done / warmup)
        return _cosine(1.0, 1e-4, (done - warmup) / (1 - warmup))

    return LambdaLR(optimizer, factor)


def cosine(optimizer: Optimizer, total_steps: int) -> LambdaLR:
    """From the rate to 0 along half a cosine: ``(1 + cos(pi * t)) / 2`` (Loshchilov & Hutter 2017, without restarts)."""
    return LambdaLR(optimizer, lambda step: _cosine(1.0, 0.0, step / total_steps))


def step(optimizer: Optimizer, total_steps: int, milestones: Sequence[float], factor: float) -> LambdaLR:
    """The rate times ``factor`` for each of ``milestones`` (shares of all steps) that is done."""
    if any(not 0 < m < 1 for m in milestones):
        raise ValueError(f"milestones={list(milestones)}: should be shares of all steps, between 0 and 1")
    if not factor > 0:
        raise ValueError(f"factor={factor}: should be above 0")
    return LambdaLR(optimizer, lambda s: factor ** sum(s >= m * total_steps for m in milestones))


def _cosine(start: float, end: float, done: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * min(done, 1.0))) / 2
