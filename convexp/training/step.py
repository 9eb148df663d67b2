"""Training steps of one network."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from convexp.training.fused_update import fused_update
from convexp.training.over_processes import Step
from convexp.training.stepping import Clipping, overridden


class Steps:
    """Training steps of one network: gradients, clipping, a step of the optimizer, a step of each schedule.

    It is to be made anew when the optimizer's state may have been replaced, as it may be between two calls of Lightning.

    Args:
        optimizer: The optimizer of the parameters.
        clip: How gradients are clipped.
        schedules: What sets the learning rate, each with a ``step``.
    """

    def __init__(self, optimizer: Optimizer, clip: Clipping, schedules: Sequence[Any]) -> None:
        self.optimizer = optimizer
        self.clip = clip
        self.schedules = schedules
        self._update: Callable[[], None] | None = None
        self._begun = False

    def __call__(self, passes: Callable[[], Step]) -> Step:
        """Make a step.

        Args:
            passes: Leaves the gradients in the parameters; as ``gradients`` does.

        Returns:
            What ``passes`` has given before the step.
        """
        if self._update is None:
            found = self._through_optimizer(passes)
            if not self._begun:  # now the optimizer has a state, and has heard of the schedules
                self._begun, self._update = True, fused_update(self.optimizer)
        else:
            found = self._clipped(passes)
            self._update()
        for schedule in self.schedules:
            schedule.step()
        return found

    def _clipped(self, passes: Callable[[], Step]) -> Step:
        step = passes()
        self.clip(parameter for group in self.optimizer.param_groups for parameter in group["params"])
        return step

    def _through_optimizer(self, passes: Callable[[], Step]) -> Step:
        found: list[Step] = []

        def closure() -> Tensor:  # some optimizers compute the loss more than once
            found.append(self._clipped(passes))
            return found[-1][0]

        step: Any = self.optimizer.step
        step(closure)
        return found[0]


def gradients(
    loss_and_step: Callable[[], tuple[Tensor, Step]], optimizer: Optimizer, context: AbstractContextManager[object]
) -> Step:
    """Leave the gradients of a loss in the optimizer's parameters, in place of those before.

    Args:
        loss_and_step: Computes the loss, and what is kept of it.
        optimizer: The optimizer of the parameters.
        context: The context of the forward pass, such as autocast.

    Returns:
        What is kept of the loss.
    """
    with context:
        loss, step = loss_and_step()
    _drop_gradients(optimizer)
    loss.backward()
    return step


def _drop_gradients(optimizer: Optimizer) -> None:
    """Do as ``zero_grad``, which asks torch's profiler to note it: that takes longer than the rest of it."""
    if overridden(optimizer, Optimizer, ("zero_grad",)):  # it may do more
        optimizer.zero_grad()
        return
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = None
