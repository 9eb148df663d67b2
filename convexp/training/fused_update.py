"""The update of a fused optimizer of torch without what its method ``step`` does around it, which takes longer."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.adam import adam
from torch.optim.adamw import adamw
from torch.optim.sgd import sgd

States = Sequence[list[Tensor]]
FUSED: dict[str, Any] = {"fused": True, "foreach": False}
OF_ALL = ("_global_optimizer_pre_hooks", "_global_optimizer_post_hooks")  # set by register_optimizer_step_..._hook
OF_ADAM = ("lr", "weight_decay", "eps", "maximize")  # options of a group that the update is given as they are
OF_SGD = ("lr", "weight_decay", "momentum", "dampening", "nesterov", "maximize")


def fused_update(optimizer: Optimizer) -> Callable[[], None] | None:
    """Return what does the same as ``optimizer.step()``, to the bit, but for telling torch's profiler; None if it is not known.

    The states of the parameters are looked up here, once. So what is returned is to be dropped when one of them, a parameter or
    a group may have been replaced. Rates and other numbers of the groups may change.

    Args:
        optimizer: Any optimizer. Known are Adam, AdamW, and SGD with momentum, fused, without hooks, after their first step.
    """
    known = UPDATES.get(type(optimizer))
    if known is None or has_hooks(optimizer):
        return None
    update, names, options = known
    others = [name for name in optimizer.defaults if name not in options]  # with which ``step`` may do something else
    if not all(_is_plain(group, others) for group in optimizer.param_groups):
        return None
    parts: list[tuple[Mapping[str, Any], list[Tensor], list[list[Any]]]] = []
    for group in optimizer.param_groups:
        parameters = [parameter for parameter in group["params"] if parameter.requires_grad]
        states = [[optimizer.state.get(parameter, {}).get(name) for parameter in parameters] for name in names]
        if any(state is None for each in states for state in each):
            return None
        parts.append((group, parameters, states))

    @torch.no_grad()
    def step() -> None:
        grads: list[list[Any]] = [[parameter.grad for parameter in parameters] for _, parameters, _ in parts]
        if any(grad is None for each in grads for grad in each):
            optimizer.step()
            return
        for (group, parameters, states), own in zip(parts, grads, strict=True):
            update(parameters, own, states, group)

    return step


def has_hooks(optimizer: Any) -> bool:
    """Whether something is called before or after the steps of an optimizer."""
    module = import_module("torch.optim.optimizer")
    own = (optimizer._optimizer_step_pre_hooks, optimizer._optimizer_step_post_hooks)  # set by register_step_..._hook
    return any((*own, *(getattr(module, name, True) for name in OF_ALL)))


def _is_plain(group: Mapping[str, Any], others: Iterable[str]) -> bool:
    unknown = any(group.get(option) for option in others) or any(isinstance(value, Tensor) for value in group.values())
    return bool(group.get("fused")) and not unknown


def _by_adam(function: Callable[..., None]) -> Callable[..., None]:
    def update(parameters: list[Tensor], grads: list[Tensor], states: States, group: Mapping[str, Any]) -> None:
        averages, squares, counts = states
        options = {name: group[name] for name in OF_ADAM}
        beta1, beta2 = group["betas"]
        function(parameters, grads, averages, squares, [], counts, amsgrad=False, beta1=beta1, beta2=beta2, **options, **FUSED)

    return update


def _by_sgd(parameters: list[Tensor], grads: list[Tensor], states: States, group: Mapping[str, Any]) -> None:
    options = {name: group[name] for name in OF_SGD}
    sgd(parameters, grads, [*states[0]], **options, **FUSED)


ADAM_STATES = ("exp_avg", "exp_avg_sq", "step")
UPDATES: dict[type, tuple[Callable[..., None], tuple[str, ...], tuple[str, ...]]] = {
    Adam: (_by_adam(adam), ADAM_STATES, (*OF_ADAM, "betas", *FUSED)),
    AdamW: (_by_adam(adamw), ADAM_STATES, (*OF_ADAM, "betas", *FUSED, "decoupled_weight_decay")),
    SGD: (_by_sgd, ("momentum_buffer",), (*OF_SGD, *FUSED)),
}
"""By the class of an optimizer: its update, the names of its states, and the options that the update knows."""
