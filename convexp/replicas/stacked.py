"""The networks of a group with their tensors stacked, and their training steps."""

from collections.abc import Sequence

import torch
from torch import Tensor

from convexp.replicas import clipping, losses
from convexp.replicas.member import Member
from convexp.replicas.network import Part, forward, parts_of
from convexp.replicas.optimizers import Optimizers
from convexp.replicas.stacking import are_parts, stack
from convexp.training.over_processes import Step
from convexp.training.tasks.task import TaskBatch


class Stacked:
    """Members whose parameters, buffers and optimizer states are stacked.

    Args:
        members: The members, of which ``why_not`` knows no reason.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = list(members)
        parts = parts_of(members[0].network)
        assert not isinstance(parts, str)
        self.parts: list[Part] = parts
        self.tensors: dict[str, Tensor] = {}
        self._own = {name: [dict(_tensors(m))[name] for m in members] for name, _ in _tensors(members[0])}
        self.trained = {name: p for name, p in members[0].network.named_parameters() if p.requires_grad}
        self._stack()
        self.optimizers = Optimizers(self.members, {name: self.tensors[name] for name in self.trained})

    def _stack(self) -> None:
        for name, own in self._own.items():
            if name not in self.tensors:
                self.tensors[name] = stack(own).requires_grad_(name in self.trained)
            elif not are_parts(own, self.tensors[name]):
                self.tensors[name].detach().copy_(torch.stack([each.detach() for each in own]))

    def steps(self, batches: Sequence[Sequence[TaskBatch]]) -> list[list[Step]]:
        """Train each member on its batches; see ``Replicas.steps``."""
        self._stack()
        self.optimizers.begin()
        found = [self._step(of_all) for of_all in zip(*batches, strict=True)]
        self.optimizers.end()
        return [list(own) for own in zip(*found, strict=True)]

    def _step(self, batches: Sequence[TaskBatch]) -> list[Step]:
        images = torch.stack([batch[0] for batch in batches])  # (R, B, C, H, W)
        outputs = forward(self.parts, self.tensors, images)
        loss = losses.losses(self.members, outputs, batches)
        leaves = [self.tensors[name] for name in self.trained]
        grads = torch.autograd.grad(loss, leaves, torch.ones_like(loss))
        grads = [grad.contiguous() for grad in grads]  # fused optimizers take the parameter's order in memory for granted
        clipping.clip(grads, [member.clip for member in self.members])
        self.optimizers.step(dict(zip(self.trained, grads, strict=True)))
        for member in self.members:
            if member.scheduler is not None:
                member.scheduler.step()
        return losses.steps(self.members, outputs, loss, batches)


def _tensors(member: Member) -> list[tuple[str, Tensor]]:
    return [*member.network.named_parameters(), *member.network.named_buffers()]
