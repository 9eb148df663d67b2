"""Whether the passes of networks under ``torch.vmap`` are those of each network alone, which is tried."""

import copy
import random
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from pytorch_lightning.utilities.seed import isolate_rng
from torch import Tensor, nn

from convexp.errors import one_line
from convexp.replicas.attributes import attributes_of, changed, different
from convexp.replicas.stacking import tensors_of
from convexp.replicas.vmapped import forward
from convexp.replicas.worthwhile import AT_ONCE

RANDOM: Any = np.random  # whose type stubs lack a function
ROUNDING = {torch.float64: 1e-6, torch.float32: 1e-3}
"""Largest difference that counts as rounding, over the largest number of a tensor, by the type that the trial computes in."""

SMALLEST = 1e-3
"""Least that the largest number of a tensor counts as: smaller ones may be differences of large ones, and rounding alone."""


def why_not_under_vmap(
    networks: Sequence[nn.Module],
    images: Tensor,
    forward_context: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> str | None:
    """Say why the passes of networks under ``vmap`` are not those of each network alone; None if they are.

    Both are made once with copies of the networks, in double precision where the networks can compute in it, and those under
    ``vmap`` a second time as they are trained, to see that they can be made. Weights, buffers and random numbers are left as
    they are. No more than ``AT_ONCE`` networks are copied at a time.

    Args:
        networks: Networks of the same layers and shapes.
        images: A batch, (B, C, H, W), which every network is tried on.
        forward_context: Returns the context of a forward pass in training.
    """
    with isolate_rng(include_cuda=images.is_cuda), warnings.catch_warnings(action="ignore"):
        exact = _computes_in_double(networks[0], images)
        for start in range(0, len(networks), AT_ONCE):
            block = networks[start : start + AT_ONCE]
            reason = _why_not(networks[0], block, images, exact) or _why_it_fails(networks[0], block, images, forward_context)
            if reason is not None:
                return reason
    return None


def _why_not(first: nn.Module, block: Sequence[nn.Module], images: Tensor, exact: bool) -> str | None:
    try:
        held = attributes_of(first)
        if (name := next(filter(None, (different(held, attributes_of(network)) for network in block)), None)) is not None:
            return f"the networks differ in {name}, which is neither a parameter nor a buffer"
        copies = [_copy(network, exact) for network in block]
        stacked = _stacked(copies)
        alone = [_Alone(network, _cast(images, exact)) for network in copies]
    except Exception as error:
        return f"the network cannot be tried on a copy: {one_line(error)}"
    if reason := next((each.reason for each in alone if each.reason is not None), None):
        return reason
    try:
        together = _passes(_copy(first, exact), stacked, _cast(images, exact))
    except Exception as error:
        return f"the network does not work under torch.vmap: {one_line(error)}"
    rounding = ROUNDING[torch.float64 if exact else torch.float32]
    for index, each in enumerate(alone):
        for name, expected in each.found.items():
            if not _is_close(together[name][index], expected, rounding):
                return f"the network's {name} differs under torch.vmap"
    return None


def _why_it_fails(
    first: nn.Module, block: Sequence[nn.Module], images: Tensor, context: Callable[[], AbstractContextManager[object]]
) -> str | None:
    """Say why the passes under ``vmap`` cannot be made as they are in training."""
    try:
        _passes(copy.deepcopy(first), _stacked(block), images, context)
    except Exception as error:
        return f"the network does not work under torch.vmap: {one_line(error)}"
    return None


class _Alone:
    """The passes of a network alone.

    Attributes:
        found: Its outputs, and its parameters and buffers after them.
        reason: Why it cannot be trained under ``vmap``, if this pass tells.
    """

    def __init__(self, network: nn.Module, images: Tensor) -> None:
        before, drawn = _held(network), _random_numbers(images.device)
        outputs = network(images)
        self.reason: str | None = None
        if _random_numbers(images.device) != drawn:
            self.reason = "the network draws random numbers, which each has to draw for itself"
        elif (name := changed(before, _held(network))) is not None:
            self.reason = f"the network keeps something from batch to batch: {name}"
        elif (unused := _without_gradient(network, outputs)) is not None:
            self.reason = f"the parameter {unused} has no gradient"
        self.found = {"output": outputs.detach(), **{name: each.detach() for name, each in tensors_of(network).items()}}


def _computes_in_double(network: nn.Module, images: Tensor) -> bool:
    try:
        return _copy(network, exact=True)(_cast(images, exact=True)).dtype == torch.float64
    except Exception:  # of whatever kind: it is tried as it is, which tells
        return False


def _copy(network: nn.Module, exact: bool) -> nn.Module:
    own = copy.deepcopy(network)
    return own.double() if exact else own


def _cast(images: Tensor, exact: bool) -> Tensor:
    return images.double() if exact and images.is_floating_point() else images


def _stacked(networks: Sequence[nn.Module]) -> dict[str, Tensor]:
    """Copies of the parameters and buffers of networks, (R, ...), by name."""
    each = [tensors_of(network) for network in networks]
    trained = {name for name, parameter in networks[0].named_parameters() if parameter.requires_grad}
    return {name: torch.stack([own[name].detach() for own in each]).requires_grad_(name in trained) for name in each[0]}


def _passes(
    network: nn.Module,
    tensors: dict[str, Tensor],
    images: Tensor,
    context: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> dict[str, Tensor]:
    """What ``_Alone`` finds, for all networks at once: (R, ...)."""
    number = len(next(iter(tensors.values())))
    with context():
        outputs = forward(network, tensors, images.expand(number, *images.shape))
    torch.autograd.grad(outputs.sum(), [tensor for tensor in tensors.values() if tensor.requires_grad])
    return {name: tensor.detach() for name, tensor in tensors.items()} | {"output": outputs.detach().transpose(1, 2)}


def _without_gradient(network: nn.Module, outputs: Tensor) -> str | None:
    """The first parameter that is trained and that the outputs do not depend on; its optimizer leaves it out."""
    trained = {name: parameter for name, parameter in network.named_parameters() if parameter.requires_grad}
    grads: Any = torch.autograd.grad(outputs.sum(), list(trained.values()), allow_unused=True)
    return next((name for name, grad in zip(trained, grads, strict=True) if grad is None), None)


def _held(network: nn.Module) -> dict[str, Any]:
    """What is to stay as it is in a pass: attributes; and where the buffers are, which may be changed but not replaced."""
    return attributes_of(network) | dict(network.named_buffers())


def _random_numbers(device: torch.device) -> list[Any]:
    """The states of the generators that a network may draw from."""
    states = [torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if device.type == "cuda" else [])]
    return [*(state.tolist() for state in states), random.getstate(), repr(RANDOM.get_state())]


def _is_close(one: Tensor, other: Tensor, rounding: float) -> bool:
    if not other.numel():
        return True
    one, other = one.double(), other.double()
    return bool((one - other).abs().max() <= rounding * other.abs().max().clamp(min=SMALLEST))
