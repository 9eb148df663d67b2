"""Whether networks can be trained at once, and if not, why."""

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from convexp.replicas.member import Member
from convexp.replicas.network import has_parts
from convexp.replicas.stacking import tensors_of
from convexp.replicas.trial import why_not_under_vmap
from convexp.training.hooks import has_hooks


def why_not(members: Sequence[Member], images: Tensor | None) -> str | None:
    """Say why members cannot be trained at once; None if they can.

    It is a clause such as "the network draws random numbers". For skeletons it depends on what the networks, optimizers and
    tensors are, not on their values; other networks are tried, with the weights that they have. Whether it takes less time is
    another question: ``worthwhile``.

    Args:
        members: One member or more.
        images: A batch of one of them, (B, C, H, W), on which copies of networks that are not of a skeleton are tried under
            ``torch.vmap``; None if that has been done.
    """
    for member in members:
        if (reason := _why_not_one(member)) is not None:
            return reason
    first = members[0]
    for member in members[1:]:
        if str(member.network) != str(first.network):
            return "the networks have different layers"
        if _described(member) != _described(first):
            return "parameters or buffers have different shapes, types or devices"
        if _groups(member) != _groups(first):
            return "the optimizers have different groups of parameters"
    if images is None or has_parts(first.network):
        return None
    return why_not_under_vmap([member.network for member in members], images, first.forward_context)


def _why_not_one(member: Member) -> str | None:
    network = member.network
    modules = list(network.modules())
    if has_hooks(modules, network.parameters()):
        return "modules or parameters have hooks, which would not be called"
    if not all(module.training for module in modules):
        return "a module is not in training mode"
    if has_parts(network) and any(map(_averages_forever, modules)):
        return "a normalisation has no running averages, or cumulative ones"
    if _needs_closure(member.optimizer):
        return f"{type(member.optimizer).__name__} computes the loss more than once in a step"
    if torch.is_autocast_enabled(next(network.parameters()).device.type):
        return "autocast is on"
    trained = [id(parameter) for parameter in network.parameters() if parameter.requires_grad]
    given = [id(parameter) for group in member.optimizer.param_groups for parameter in group["params"]]
    if sorted(trained) != sorted(given):
        return "the optimizer has other parameters than those of the network that are trained"
    return None


def _needs_closure(optimizer: Any) -> bool:
    """Whether the optimizer's ``step`` cannot be called without a function that computes the loss, as that of LBFGS."""
    step = inspect.signature(type(optimizer).step)  # of the class, as schedules replace that of the object
    own = list(step.parameters.values())[1:]
    return any(each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD) for each in own)


def _averages_forever(module: nn.Module) -> bool:
    return isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d) and (module.momentum is None or module.running_mean is None)


def _described(member: Member) -> list[tuple[Any, ...]]:
    named = tensors_of(member.network).items()
    return [(name, each.shape, each.dtype, each.device, each.requires_grad) for name, each in named]


def _groups(member: Member) -> list[list[str]]:
    names = {id(parameter): name for name, parameter in member.network.named_parameters()}
    return [[names[id(parameter)] for parameter in group["params"]] for group in member.optimizer.param_groups]
