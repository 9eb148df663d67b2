"""Any network for several sets of weights at once: its own forward pass under ``torch.vmap``."""

import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from convexp.replicas.stacking import tensors_of


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

    return torch.vmap(one)(dict(tensors), images).transpose(1, 2)


@contextmanager
def without_warnings() -> Generator[None]:
    """A context without the warning of an operator that ``vmap`` does for one network after another: the result is the same."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "There is a performance drop")
        yield


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
