"""A member of a group: a network in training, with everything that its next steps depend on."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import nn
from torch.optim import Optimizer

from convexp.training.over_processes import Step
from convexp.training.step import Steps, gradients
from convexp.training.stepping import Clipping
from convexp.training.tasks.task import Task, TaskBatch


@dataclass(frozen=True, eq=False)
class Member:
    """A network in training.

    Attributes:
        task: The task, of which ``network``, ``loss``, ``measure_training``, ``count`` and ``loss_and_step`` are used.
        optimizer: The optimizer of the network's parameters.
        scheduler: What sets the learning rate after every step; None for a constant one.
        clip: How gradients are clipped.
        forward_context: Returns the context of a forward pass, such as autocast; the same for all members.
    """

    task: Task
    optimizer: Optimizer
    scheduler: Any = None  # LRScheduler, or anything with a step()
    clip: Clipping = field(default_factory=Clipping)
    forward_context: Callable[[], AbstractContextManager[object]] = nullcontext

    @property
    def network(self) -> nn.Module:
        """The network."""
        return self.task.network

    def parameters(self) -> list[nn.Parameter]:
        """Return the parameters that the optimizer changes."""
        return [parameter for group in self.optimizer.param_groups for parameter in group["params"]]

    def steps_alone(self, batches: Sequence[TaskBatch]) -> list[Step]:
        """Train on each batch in turn, without the other members; return what each has given before the step on it."""
        schedules = [] if self.scheduler is None else [self.scheduler]
        step = Steps(self.optimizer, self.clip, schedules)
        return [step(partial(self.passes, batch)) for batch in batches]

    def passes(self, batch: TaskBatch) -> Step:
        """Leave the gradients of a batch in the parameters; return what the batch has given."""
        return gradients(partial(self.task.loss_and_step, batch), self.optimizer, self.forward_context())
