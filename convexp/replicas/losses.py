"""Losses and metrics of a training batch of several networks at once."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from convexp.replicas.member import Member
from convexp.training.over_processes import Step
from convexp.training.tasks.classification import Classification
from convexp.training.tasks.task import TaskBatch

HALF = (torch.bfloat16, torch.float16)  # whose cross-entropy autocast computes in float32


def losses(members: Sequence[Member], outputs: Tensor, images: Tensor, targets: Tensor) -> Tensor:
    """Return the loss of each member, (R,), from the outputs (R, K, B), images (R, B, ...) and targets (R, B, ...)."""
    if _plain(members, targets):
        logs = F.log_softmax(outputs, 1, dtype=torch.float32 if outputs.dtype in HALF else None)
        truth = -logs.gather(1, targets.unsqueeze(1))[:, 0].mean(1)
        shares = [member.task.label_smoothing for member in members if isinstance(member.task, Classification)]
        if not any(shares):
            return truth
        share = torch.stack([logs.new_full((), each) for each in shares])
        return (1 - share) * truth - share * logs.mean((1, 2))
    found = [member.task.loss(own.t(), batch) for member, own, batch in _each(members, outputs, images, targets)]
    return torch.stack(found)


def steps(members: Sequence[Member], outputs: Tensor, losses: Tensor, images: Tensor, targets: Tensor) -> list[Step]:
    """Return what a batch has given for each member, without gradients."""
    each = losses.detach().unbind(0)
    if _plain(members, targets):
        right = (outputs.detach().argmax(1) == targets).sum(1).unbind(0)
        return [(loss, {"acc": acc}, targets.shape[1]) for loss, acc in zip(each, right, strict=True)]
    with torch.no_grad():
        return [
            (loss, member.task.measure_training(own.t(), batch), member.task.count(batch))
            for loss, (member, own, batch) in zip(each, _each(members, outputs, images, targets), strict=True)
        ]


def _each(
    members: Sequence[Member], outputs: Tensor, images: Tensor, targets: Tensor
) -> Iterator[tuple[Member, Tensor, TaskBatch]]:
    """Each member, its outputs (K, B) and its batch."""
    batches = zip(images.unbind(0), targets.unbind(0), strict=True)
    return zip(members, outputs.unbind(0), batches, strict=True)


def _plain(members: Sequence[Member], targets: Tensor) -> bool:
    """Whether all are convexp's own classification of one label for each image, without weights of classes."""
    return targets.ndim == 2 and all(
        type(member.task) is Classification and member.task.class_weights is None for member in members
    )
