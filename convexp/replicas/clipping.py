"""Clipping of the gradients of several networks at once, each by its own norm."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from convexp.training.stepping import Clipping


def clip(grads: Sequence[Tensor], clips: Sequence[Clipping]) -> None:
    """Clip gradients (R, ...) in place, as ``torch.nn.utils.clip_grad_norm_`` and ``clip_grad_value_`` do for each network."""
    if any(each.value is not None for each in clips):
        _clip_norm(grads, _limits(grads[0], clips, "norm"))
        _clip_value(grads, _limits(grads[0], clips, "value"))


def _limits(like: Tensor, clips: Sequence[Clipping], algorithm: str) -> Tensor | None:
    """The limit of each network, (R,), infinite for those that are not clipped by ``algorithm``; None if none is."""
    found = [math.inf if each.value is None or each.algorithm != algorithm else each.value for each in clips]
    if min(found) == math.inf:
        return None
    return torch.tensor(found, dtype=like.dtype).to(like.device, non_blocking=True)


def _clip_norm(grads: Sequence[Tensor], limits: Tensor | None) -> None:
    if limits is None:
        return
    norms = torch.stack([torch.linalg.vector_norm(grad.reshape(len(grad), -1), dim=1) for grad in grads])  # (parameters, R)
    factor = (limits / (torch.linalg.vector_norm(norms, dim=0) + 1e-6)).clamp(max=1)
    factor = torch.where(limits.isinf(), 1, factor)  # infinity by infinity is no number
    for grad in grads:
        grad.mul_(_by_network(factor, grad))


def _clip_value(grads: Sequence[Tensor], limits: Tensor | None) -> None:
    if limits is None:
        return
    for grad in grads:
        limit = _by_network(limits, grad)
        grad.clamp_(-limit, limit)


def _by_network(values: Tensor, like: Tensor) -> Tensor:
    return values.view(-1, *(1,) * (like.dim() - 1))
