"""Losses and metrics of a training batch of several networks at once."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from convexp.replicas.member import Member
from convexp.training.over_processes import Step
from convexp.training.tasks.classification import Classification
from convexp.training.tasks.task import TaskBatch

HALF = (torch.bfloat16, torch.float16)  # whose cross-entropy autocast computes in float32


def losses(members: Sequence[Member], outputs: Tensor, batches: Sequence[TaskBatch]) -> Tensor:
    """Return the loss of each member, (R,), from the outputs (R, K, B) and the members' batches."""
    if _plain(members, batches):
        labels = torch.stack([batch[1] for batch in batches])  # (R, B)
        logs = F.log_softmax(outputs, 1, dtype=torch.float32 if outputs.dtype in HALF else None)
        truth = -logs.gather(1, labels.unsqueeze(1))[:, 0].mean(1)
        shares = [member.task.label_smoothing for member in members if isinstance(member.task, Classification)]
        if not any(shares):
            return truth
        share = logs.new_tensor(shares)
        return (1 - share) * truth - share * logs.mean((1, 2))
    found = [m.task.loss(o.t(), b) for m, o, b in zip(members, outputs.unbind(0), batches, strict=True)]
    return torch.stack(found)


def steps(members: Sequence[Member], outputs: Tensor, losses: Tensor, batches: Sequence[TaskBatch]) -> list[Step]:
    """Return what a batch has given for each member, without gradients."""
    each = losses.detach().unbind(0)
    if _plain(members, batches):
        labels = torch.stack([batch[1] for batch in batches])
        right = (outputs.detach().argmax(1) == labels).sum(1).unbind(0)
        return [(loss, {"acc": acc}, len(batch[1])) for loss, acc, batch in zip(each, right, batches, strict=True)]
    with torch.no_grad():
        return [
            (loss, member.task.measure_training(own.t(), batch), member.task.count(batch))
            for loss, member, own, batch in zip(each, members, outputs.unbind(0), batches, strict=True)
        ]


def _plain(members: Sequence[Member], batches: Sequence[TaskBatch]) -> bool:
    """Whether all are convexp's own classification of one label for each image, without weights of classes."""
    return all(
        type(member.task) is Classification and member.task.class_weights is None and batch[1].ndim == 1
        for member, batch in zip(members, batches, strict=True)
    )
