"""Steps of the optimizers of several networks: as one step of one optimizer of the stacked parameters, where they agree."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from convexp.replicas.member import Member
from convexp.replicas.stacking import are_parts, stack
from convexp.training.fused_update import fused_update, has_hooks

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
        self.optimizers = [member.optimizer for member in members]
        self.stacked = stacked
        self.own = [dict(member.network.named_parameters()) for member in members]
        names = {id(parameter): name for name, parameter in self.own[0].items()}
        self.groups = [[names[id(p)] for p in group["params"]] for group in self.optimizers[0].param_groups]
        self.together: Optimizer | None = None
        self._update: Callable[[], None] | None = None  # what ``together`` does in a step, if it is known
        self._kinds: list[tuple[str, str]] = []  # parameters and the states that each optimizer has of them
        self._ready = False  # whether ``together`` has the states of all

    def begin(self) -> None:
        """Begin a call: stack the states of the optimizers, unless they are where they were left."""
        known = type(self.optimizers[0]) in ELEMENTWISE and not any(map(has_hooks, self.optimizers))
        self._ready = known and self._have_states() and self._count_alike()
        if self._ready and self.together is None:
            self.together = self._make()
        if self._ready and self.together is not None:
            self._stack_states()
            self._update = None  # it knows the states of before

    def step(self, grads: Mapping[str, Tensor]) -> None:
        """Let every optimizer take a step; ``grads`` are those of the stacked parameters by name."""
        if self._ready and self._agree():
            self._step_together(grads)
        else:
            self._step_one_by_one(grads)

    def end(self) -> None:
        """End a call: tell every optimizer how many steps it has made."""
        if self._ready:
            self._write_counts()

    def _have_states(self) -> bool:
        """Whether every optimizer has a state, as it does after its first step if it needs one, and the same kind of state."""
        kinds = [
            [(name, key) for name in self.stacked for key in optimizer.state.get(own[name], {})]
            for optimizer, own in zip(self.optimizers, self.own, strict=True)
        ]
        if kinds[0] != self._kinds:
            self._kinds, self.together = kinds[0], None
        complete = len(kinds[0]) >= len(self.stacked) or not (kinds[0] or self._need_states())
        return complete and all(own == kinds[0] for own in kinds)

    def _need_states(self) -> bool:
        """Whether an optimizer's next step makes a state: all do but SGD without momentum."""
        groups = [group for optimizer in self.optimizers for group in optimizer.param_groups]
        return type(self.optimizers[0]) is not SGD or any(group["momentum"] for group in groups)

    def _states(self, name: str, key: str) -> list[Any]:
        return [optimizer.state[own[name]][key] for optimizer, own in zip(self.optimizers, self.own, strict=True)]

    def _count_alike(self) -> bool:
        """Whether all have made as many steps, on which the size of a step depends."""
        counts = [each for name in self.stacked for each in self._states(name, COUNTER)] if self._has_counter() else []
        return not counts or bool((torch.stack(counts) == counts[0]).all())

    def _has_counter(self) -> bool:
        return all((name, COUNTER) in self._kinds for name in self.stacked)

    def _make(self) -> Optimizer:
        kind: Any = type(self.optimizers[0])
        groups = [{"params": [self.stacked[name] for name in names]} for names in self.groups]
        made: Optimizer = kind(groups, lr=0.0)
        for name, parameter in self.stacked.items():
            made.state[parameter] = dict.fromkeys(key for own, key in self._kinds if own == name)
        return made

    def _stack_states(self) -> None:
        assert self.together is not None
        for name, parameter in self.stacked.items():
            state = self.together.state[parameter]
            for key, made in state.items():
                own = self._states(name, key)
                if key == COUNTER:
                    state[key] = own[0].clone()
                elif own[0] is not None and (made is None or not are_parts(own, made)):
                    state[key] = stack(own)

    def _write_counts(self) -> None:
        assert self.together is not None
        for name, parameter in self.stacked.items():
            if COUNTER in (state := self.together.state[parameter]):
                for own in self._states(name, COUNTER):
                    own.copy_(state[COUNTER])

    def _read_counts(self) -> None:
        assert self.together is not None
        for name, parameter in self.stacked.items():
            if COUNTER in (state := self.together.state[parameter]):
                state[COUNTER].copy_(self._states(name, COUNTER)[0])

    def _agree(self) -> bool:
        """Whether the numbers of all optimizers are the same in this step, and if so, take them over."""
        assert self.together is not None
        if not self._kinds and self._need_states():  # a schedule has given it a momentum
            return False
        for index, group in enumerate(self.together.param_groups):
            options = [_options(optimizer.param_groups[index]) for optimizer in self.optimizers]
            if any(isinstance(value, Tensor) for value in options[0].values()) or any(own != options[0] for own in options):
                return False
            group.update(options[0])
        return True

    def _step_together(self, grads: Mapping[str, Tensor]) -> None:
        assert self.together is not None
        for name, parameter in self.stacked.items():
            parameter.grad = grads[name]
        if self._update is None:
            self._update = fused_update(self.together) or self.together.step
        self._update()
        for own in self.optimizers:
            own: Any
            own._opt_called = True  # as its own step notes it: else torch warns that the schedule steps before the optimizer
        for parameter in self.stacked.values():
            parameter.grad = None

    def _step_one_by_one(self, grads: Mapping[str, Tensor]) -> None:
        parts = {name: grad.unbind(0) for name, grad in grads.items()}
        if self._ready:
            self._write_counts()
        for index, (optimizer, own) in enumerate(zip(self.optimizers, self.own, strict=True)):
            for name, grad in parts.items():
                own[name].grad = grad[index]
            optimizer.step()
            for name in parts:
                own[name].grad = None
        if self._ready:
            self._read_counts()
        else:
            self.begin()


def _options(group: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in group.items() if key not in UNUSED}
