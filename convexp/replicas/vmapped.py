"""Any network for several sets of weights at once: its own forward pass under ``torch.vmap``, which is tried first."""

import copy
import random
import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from pytorch_lightning.utilities.seed import isolate_rng
from torch import Tensor, nn

from convexp.errors import one_line
from convexp.replicas.stacking import tensors_of

RANDOM: Any = np.random  # whose type stubs lack a function
ROUNDING = 1e-2
"""Largest difference that counts as rounding, over the largest number of a tensor; a buffer not updated differs by more."""


def forward(network: nn.Module, tensors: Mapping[str, Tensor], images: Tensor) -> Tensor:
    """Return the outputs of all networks: images (R, B, C, H, W) -> (R, K, B).

    Args:
        network: Any one of the networks; its own parameters and buffers are not used.
        tensors: Parameters and buffers by name: (R, ...). Buffers that the network changes in place are changed.
        images: A batch for every network.
    """

    def one(own: dict[str, Tensor], batch: Tensor) -> Tensor:
        with _holding(network, own):
            return network(batch)

    with warnings.catch_warnings():  # of an operator that vmap does for one network after another: the result is the same
        warnings.filterwarnings("ignore", "There is a performance drop")
        return torch.vmap(one)(dict(tensors), images).transpose(1, 2)


@contextmanager
def _holding(network: nn.Module, tensors: Mapping[str, Tensor]) -> Generator[None]:
    """A context in which a network has other parameters and buffers, also where one is shared by modules.

    (``torch.func.functional_call`` leaves the other ones in a module that a network has under two names, as of torch 2.15.)
    """
    names = {id(tensor): name for name, tensor in tensors_of(network).items()}
    modules: list[Any] = list(network.modules())
    held: list[dict[str, Any]] = [own for module in modules for own in (module._parameters, module._buffers)]
    places = [(own, key, tensor) for own in held for key, tensor in own.items() if tensor is not None]
    try:
        for own, key, tensor in places:
            own[key] = tensors[names[id(tensor)]]
        yield
    finally:
        for own, key, tensor in places:
            own[key] = tensor


def why_not_under_vmap(networks: Sequence[nn.Module], images: Tensor) -> str | None:
    """Say why the passes of networks under ``vmap`` are not those of each network alone; None if they are.

    Both are made once, with copies of the networks: weights, buffers and random numbers are left as they are.

    Args:
        networks: Networks of the same layers and shapes.
        images: A batch, (B, C, H, W), which every network is tried on.
    """
    with isolate_rng(), warnings.catch_warnings(action="ignore"):
        try:
            alone = [_Trial(network, images) for network in networks]
        except Exception as error:
            return f"the network cannot be tried on a copy: {one_line(error)}"
        if reason := next((each.reason for each in alone if each.reason is not None), None):
            return reason
        try:
            together = _passes(networks, images)
        except Exception as error:
            return f"the network does not work under torch.vmap: {one_line(error)}"
    for index, each in enumerate(alone):
        for name, expected in each.found.items():
            if not _is_close(together[name][index], expected):
                return f"the network's {name} differs under torch.vmap"
    return None


class _Trial:
    """The passes of a copy of a network alone.

    Attributes:
        found: Its outputs, and its buffers after them.
        reason: Why it cannot be trained under ``vmap``, if this pass tells.
    """

    def __init__(self, network: nn.Module, images: Tensor) -> None:
        own = copy.deepcopy(network)
        before, drawn = _attributes(own), _random_numbers(images.device)
        outputs = own(images)
        self.reason: str | None = None
        if _random_numbers(images.device) != drawn:
            self.reason = "the network draws random numbers, which each has to draw for itself"
        elif (name := _changed(before, _attributes(own))) is not None:
            self.reason = f"the network keeps something from batch to batch: {name}"
        elif (unused := _without_gradient(own, outputs)) is not None:
            self.reason = f"the parameter {unused} has no gradient"
        self.found = {"output": outputs.detach(), **dict(own.named_buffers())}


def _passes(networks: Sequence[nn.Module], images: Tensor) -> dict[str, Tensor]:
    """What ``_Trial`` finds, for all networks at once: (R, ...)."""
    each = [tensors_of(network) for network in networks]
    trained = {name for name, parameter in networks[0].named_parameters() if parameter.requires_grad}
    made = {name: torch.stack([own[name].detach() for own in each]).requires_grad_(name in trained) for name in each[0]}
    outputs = forward(copy.deepcopy(networks[0]), made, images.expand(len(networks), *images.shape))
    torch.autograd.grad(outputs.sum(), [made[name] for name in trained])
    return {name: tensor.detach() for name, tensor in made.items()} | {"output": outputs.detach().transpose(1, 2)}


def _without_gradient(network: nn.Module, outputs: Tensor) -> str | None:
    """The first parameter that is trained and that the outputs do not depend on; its optimizer leaves it out."""
    trained = {name: parameter for name, parameter in network.named_parameters() if parameter.requires_grad}
    grads: Any = torch.autograd.grad(outputs.sum(), list(trained.values()), allow_unused=True)
    return next((name for name, grad in zip(trained, grads, strict=True) if grad is None), None)


def _attributes(network: nn.Module) -> dict[str, Any]:
    """What modules hold beside tensors and modules, by name; and the buffers, to see whether one is replaced."""
    held = {
        f"{name}.{key}".lstrip("."): value
        for name, module in network.named_modules()
        for key, value in vars(module).items()
        if key not in ("_parameters", "_buffers", "_modules")
    }
    return held | dict(network.named_buffers())


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    missing = object()
    return next((name for name, value in after.items() if value is not before.get(name, missing)), None)


def _random_numbers(device: torch.device) -> list[Any]:
    """The states of the generators that a network may draw from."""
    states = [torch.get_rng_state(), *([torch.cuda.get_rng_state(device)] if device.type == "cuda" else [])]
    return [*(state.tolist() for state in states), random.getstate(), repr(RANDOM.get_state())]


def _is_close(one: Tensor, other: Tensor) -> bool:
    if not other.numel():
        return True
    one, other = one.double(), other.double()
    return bool((one - other).abs().max() <= ROUNDING * other.abs().max() + 1e-5)
