"""A training step of one network."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

from convexp.training.over_processes import Step
from convexp.training.stepping import Clipping, overridden


def make_step(passes: Callable[[], Step], optimizer: Optimizer, clip: Clipping, schedules: Iterable[Any]) -> Step:
    """Make a step: gradients, clipping, a step of the optimizer, a step of each schedule.

    Args:
        passes: Leaves the gradients in the parameters; as ``gradients`` does.
        optimizer: The optimizer of the parameters.
        clip: How gradients are clipped.
        schedules: What sets the learning rate, each with a ``step``.

    Returns:
        What ``passes`` has given before the step.
    """
    found: list[Step] = []

    def closure() -> Tensor:  # some optimizers compute the loss more than once
        step = passes()
        clip(parameter for group in optimizer.param_groups for parameter in group["params"])
        found.append(step)
        return step[0]

    step: Any = optimizer.step
    step(closure)
    for schedule in schedules:
        schedule.step()
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
