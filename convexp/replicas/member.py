"""A member of a group: a network in training, with everything that its next steps depend on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from convexp.training.over_processes import Step
from convexp.training.tasks.task import Task, TaskBatch


@dataclass(frozen=True)
class Clip:
    """How the gradients of a member are clipped before each step.

    Attributes:
        value: The largest norm of the gradient of all parameters, or the largest absolute value of each number; None: no limit.
        algorithm: Whether ``value`` limits the norm or each number.
    """

    value: float | None = None
    algorithm: Literal["norm", "value"] = "norm"


@dataclass(frozen=True, eq=False)
class Member:
    """A network in training.

    Attributes:
        task: The task, of which ``network``, ``loss``, ``measure_training`` and ``count`` are used.
        optimizer: The optimizer of the network's parameters.
        scheduler: What sets the learning rate after every step; None for a constant one.
        clip: How gradients are clipped.
    """

    task: Task
    optimizer: Optimizer
    scheduler: Any = None  # LRScheduler, or anything with a step()
    clip: Clip = field(default_factory=Clip)

    @property
    def network(self) -> nn.Module:
        """The network."""
        return self.task.network

    def parameters(self) -> list[Tensor]:
        """Return the parameters that the optimizer changes."""
        return [parameter for group in self.optimizer.param_groups for parameter in group["params"]]

    def steps_alone(self, batches: Sequence[TaskBatch]) -> list[Step]:
        """Train on each batch in turn, without the other members; return what each has given before the step on it."""
        return [self._step(batch) for batch in batches]

    def _step(self, batch: TaskBatch) -> Step:
        outputs = self.network(batch[0])
        loss = self.task.loss(outputs, batch)
        self.optimizer.zero_grad()
        loss.backward()
        if self.clip.value is not None and self.clip.algorithm == "norm":
            nn.utils.clip_grad_norm_(self.parameters(), self.clip.value)
        elif self.clip.value is not None:
            nn.utils.clip_grad_value_(self.parameters(), self.clip.value)
        self.optimizer.step()
        if self.scheduler is not None:
            self.scheduler.step()
        with torch.no_grad():
            return loss.detach(), self.task.measure_training(outputs, batch), self.task.count(batch)
