"""How images and weights of a locally connected layer lie in memory: images with the batch innermost, kernels by column.

A weight (H', W', O, C, k1, k2) is stored as (H', W', O, k2, k1, C), so that the window of a unit is contiguous.
"""

from collections.abc import Sequence

from torch import Tensor


def batch_last(x: Tensor) -> Tensor:
    """Return the image with the batch last, as a view: (B, C, H, W) -> (H, W, C, B)."""
    return x.permute(*range(2, x.dim()), 1, 0)


def batch_first(x: Tensor) -> Tensor:
    """Return the image with the batch first, as a view: (H, W, C, B) -> (B, C, H, W)."""
    return x.permute(-1, -2, *range(x.dim() - 2))


def _stored_order(dims: int) -> tuple[int, ...]:
    return (*range(dims + 1), 2 * dims + 1, *range(dims + 2, 2 * dims + 1), dims + 1)


_STORED = {dims: _stored_order(dims) for dims in (1, 2, 3)}
_LITERATURE = {dims: tuple(order.index(i) for i in range(len(order))) for dims, order in _STORED.items()}


def stored_order(dims: int) -> tuple[int, ...]:
    """Return the dimensions of (H', W', O, C, k1, k2) in the order in which weights lie in memory: (H', W', O, k2, k1, C)."""
    return _STORED[dims]


def literature_order(dims: int) -> tuple[int, ...]:
    """Return the inverse of ``stored_order``."""
    return _LITERATURE[dims]


def stored(weight: Tensor, dims: int) -> Tensor:
    """Return a weight (H', W', O, C, k1, k2) as it lies in memory, (H', W', O, k2, k1, C); copied only if it lies otherwise."""
    return weight.permute(stored_order(dims)).contiguous()


def new_weight(like: Tensor, shape: Sequence[int]) -> Tensor:
    """Return an empty weight of ``shape`` (H', W', O, C, k1, k2), stored as weights are."""
    return _empty(like, shape, stored_order((len(shape) - 2) // 2))


def new_image(like: Tensor, shape: Sequence[int]) -> Tensor:
    """Return an empty image of ``shape`` (B, C, H, W) with the batch innermost in memory."""
    return _empty(like, shape, (*range(2, len(shape)), 1, 0))


def _empty(like: Tensor, shape: Sequence[int], order: Sequence[int]) -> Tensor:
    """An empty tensor with its dimensions in ``order`` in memory; not a view, so that it may be changed in place."""
    strides, step = [0] * len(shape), 1
    for dim in reversed(order):
        strides[dim] = step
        step *= max(shape[dim], 1)
    return like.new_empty_strided(tuple(shape), strides)
