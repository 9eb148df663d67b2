"""Steps of the optimizers of several networks: as one step of one optimizer of the stacked parameters, where they agree."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from convexp.replicas.member import Member
from convexp.replicas.stacking import are_parts, stack

ELEMENTWISE = (Adam, AdamW, SGD, RMSprop)
"""Optimizers that treat each number by itself, so that stacked parameters are parameters like any other."""

COUNTER = "step"
UNUSED = ("params", "initial_lr")  # of a group, what a step does not depend on: its parameters are those of one network


class Optimizers:
    """The optimizers of the members, and one of their stacked parameters.

    Args:
        members: The members, whose optimizers have the same groups.
        stacked: The stacked parameters by name, leaves.
    """

    def __init__(self, members: Sequence[Member], stacked: Mapping[str, Tensor]) -> None:
        self.members, self.stacked = members, stacked
        names = [{id(value): name for name, value in member.network.named_parameters()} for member in members]
        self.own = [{name: value for name, value in member.network.named_parameters()} for member in members]
        self.groups = [[names[0][id(p)] for p in group["params"]] for group in members[0].optimizer.param_groups]
        self.together: Optimizer | None = None

    def step(self, grads: Mapping[str, Tensor]) -> None:
        """Let every optimizer take a step; ``grads`` are those of the stacked parameters by name."""
        if self.together is not None and self._agree():
            self._step_together(grads)
        else:
            self._step_one_by_one(grads)

    def begin(self) -> None:
        """Begin a call: see whether the states are still where they were left, and can be stacked."""
        self.together = self._make() if self._known() and self._have_states() else None

    def end(self) -> None:
        """End a call: tell every optimizer how many steps it has made."""

    def _known(self) -> bool:
        kind = type(self.members[0].optimizer)
        return kind in ELEMENTWISE and all(type(member.optimizer) is kind for member in self.members)

    def _have_states(self) -> bool:
        return False

    def _make(self) -> Optimizer | None:
        return None

    def _agree(self) -> bool:
        return False

    def _step_together(self, grads: Mapping[str, Tensor]) -> None:
        pass

    def _step_one_by_one(self, grads: Mapping[str, Tensor]) -> None:
        parts = {name: grad.unbind(0) for name, grad in grads.items()}
        for index, (member, own) in enumerate(zip(self.members, self.own, strict=True)):
            for name, parameter in own.items():
                parameter.grad = parts[name][index] if name in parts else None
            member.optimizer.step()
            for parameter in own.values():
                parameter.grad = None
