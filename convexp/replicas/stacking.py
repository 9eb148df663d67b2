"""Tensors of several networks next to each other in memory: one stacked tensor, and still a tensor for each network."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def tensors_of(network: nn.Module) -> dict[str, Tensor]:
    """Return the parameters and buffers of a network by name."""
    return {**dict(network.named_parameters()), **dict(network.named_buffers())}


def stack(tensors: Sequence[Tensor]) -> Tensor:
    """Copy tensors of one shape next to each other, (R, ...), and let each of them be its part of the copy from now on.

    A change of the result is a change of all of them, and the other way round, so that nothing is ever copied again. Each keeps
    a storage of its own size (by DLPack, which knows no storages), so that a checkpoint of one holds no more than that one.
    """
    made = torch.stack([tensor.detach() for tensor in tensors])
    for tensor, part in zip(tensors, made.unbind(0), strict=True):
        tensor.data = torch.from_dlpack(part)
    return made


def are_parts(tensors: Sequence[Tensor], made: Tensor) -> bool:
    """Whether each of ``tensors`` is still its part of ``made``: nobody has given it other memory."""
    first, step = made.data_ptr(), made.stride(0) * made.element_size()
    shape, kind = made.shape[1:], made.dtype
    return all(
        tensor.data_ptr() == first + index * step and tensor.shape == shape and tensor.dtype == kind
        for index, tensor in enumerate(tensors)
    )
