"""The networks of a group with their tensors stacked, and their training steps."""

from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor

from convexp.replicas import clipping, losses, network, vmapped
from convexp.replicas.member import Member
from convexp.replicas.optimizers import Optimizers
from convexp.replicas.stacking import are_parts, stack, tensors_of
from convexp.training.captured_passes import Captures, Record
from convexp.training.over_processes import Step
from convexp.training.tasks.task import TaskBatch

Gradients = tuple[Tensor, Tensor, list[Tensor]]
"""Outputs, losses, and the gradients of the parameters."""


class Stacked:
    """Members whose parameters, buffers and optimizer states are stacked.

    Args:
        members: The members, of which ``why_not`` knows no reason.
        record: Records the kernels of a pass, which is then replayed, as ``cuda_graph`` does; None: passes are run as they are.
    """

    def __init__(self, members: Sequence[Member], record: Record | None = None) -> None:
        self.members = list(members)
        parts = network.parts_of(members[0].network)
        if isinstance(parts, str):  # what computes the outputs of all networks, (R, K, B), and what is around each call
            self.forward, self.around = partial(vmapped.forward, members[0].network), vmapped.without_warnings
        else:
            self.forward, self.around = partial(network.forward, parts), nullcontext
        self.trained = {name: p for name, p in members[0].network.named_parameters() if p.requires_grad}
        self._places = {name: [_place(member, name) for member in members] for name in tensors_of(members[0].network)}
        self.tensors = {name: stack(self._own(name)).requires_grad_(name in self.trained) for name in self._places}
        self.optimizers = Optimizers(self.members, {name: self.tensors[name] for name in self.trained})
        buffers = [tensor for name, tensor in self.tensors.items() if name not in self.trained]
        self.captures = None if record is None else Captures[Gradients](buffers, record)

    def is_whole(self) -> bool:
        """Whether the parameters and buffers of the members are still parts of the stack: nobody has replaced one."""
        return all(are_parts(self._own(name), made) for name, made in self.tensors.items())

    def _own(self, name: str) -> list[Tensor]:
        return [tensors[last] for tensors, last in self._places[name]]

    def steps(self, batches: Sequence[Sequence[TaskBatch]]) -> list[list[Step]]:
        """Train each member on its batches; see ``Replicas.steps``."""
        self.optimizers.begin()
        with self.around():
            found = [self._step(of_all) for of_all in zip(*batches, strict=True)]
        self.optimizers.end()
        return [list(own) for own in zip(*found, strict=True)]

    def _step(self, batches: Sequence[TaskBatch]) -> list[Step]:
        images, targets = (torch.stack(of_all) for of_all in zip(*batches, strict=True))  # (R, B, ...)
        if self.captures is None:
            outputs, loss, grads = self._gradients(images, targets)
        else:
            outputs, loss, grads = self.captures(self._gradients, (images, targets))
            loss = loss.clone()  # the next batch overwrites it
        clipping.clip(grads, [member.clip for member in self.members])
        self.optimizers.step(dict(zip(self.trained, grads, strict=True)))
        for member in self.members:
            if member.scheduler is not None:
                member.scheduler.step()
        return losses.steps(self.members, outputs, loss, images, targets)

    def _gradients(self, images: Tensor, targets: Tensor) -> Gradients:
        """Return the outputs (R, K, B), the losses (R,) and their gradients in the order of ``trained``."""
        with self.members[0].forward_context():
            outputs = self.forward(self.tensors, images)
            loss = losses.losses(self.members, outputs, images, targets)
        leaves = [self.tensors[name] for name in self.trained]
        grads = torch.autograd.grad(loss, leaves, torch.ones_like(loss))
        # Fused optimizers take the parameter's order in memory for granted.
        return outputs.detach(), loss.detach(), [grad.contiguous() for grad in grads]


def _place(member: Member, name: str) -> tuple[dict[str, Any], str]:
    """Where a network holds a tensor, whichever it is at a time: the parameters or buffers of a module, and the name there."""
    prefix, _, last = name.rpartition(".")
    module: Any = member.network.get_submodule(prefix)
    return module._parameters if last in module._parameters else module._buffers, last
