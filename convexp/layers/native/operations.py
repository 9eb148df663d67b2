"""Calling the kernels in C: the operations of the layer, for one way or another of filling the vectors of a processor."""

import ctypes
from enum import IntEnum
from functools import lru_cache
from typing import Any, cast

import torch
from torch import Tensor

from convexp.layers.call_geometry import Geometry
from convexp.layers.layout import stored
from convexp.layers.native.build import library
from convexp.layers.native.places import LINE, Layer, places, rounded_up

WORTH_A_THREAD = 1_000_000
"""Multiply-adds."""

TYPES = {torch.float32: 0, torch.bfloat16: 1, torch.float16: 2}
"""The types of operands, by their numbers in ``numbers.h``."""


class Vectors(IntEnum):
    """What fills the vectors of a processor."""

    MANY_IMAGES = 0
    FEW_IMAGES = 1
    CHANNELS = 2
    GROUPS = 3


def forward(vectors: Vectors, x: Tensor, weight: Tensor, bias: Tensor | None, g: Geometry) -> Tensor:
    """Apply the layer, as ``batched_gemm.forward``: x (B, C, H, W) to (B, O, H', W'), stored as (H', W', O, B)."""
    layer = places(g)
    out, kernels = x.new_empty_strided(*layer.output_layout), _stored(weight, layer)
    offsets, location, channel = (None, 0, 0) if bias is None else _offsets_of(bias.to(x.dtype), layer)
    of_bias = (None if offsets is None else offsets.data_ptr(), location, channel)
    _call("forward", vectors, layer, x.dtype, 0, *_image(x), kernels.data_ptr(), *of_bias, out.data_ptr())
    return out


def weight_gradient(vectors: Vectors, grad: Tensor, x: Tensor, g: Geometry) -> Tensor:
    """Return the gradient in the weight, (H', W', O, C/G, k1, k2) stored as weights, as ``batched_gemm.weight_gradient``."""
    layer = places(g)
    made = x.new_empty_strided(*layer.weight_layout)
    _call("weight_gradient", vectors, layer, x.dtype, _copied(grad, layer), *_image(grad), *_image(x), made.data_ptr())
    return made


def input_gradient(vectors: Vectors, grad: Tensor, weight: Tensor, g: Geometry) -> Tensor:
    """Return the gradient in x, (B, C, H, W) stored as (H, W, C, B), as ``batched_gemm.input_gradient``."""
    layer = places(g)
    made, kernels = grad.new_empty_strided(*layer.input_layout), _stored(weight, layer)
    _call("input_gradient", vectors, layer, grad.dtype, _copied(grad, layer), *_image(grad), kernels.data_ptr(), *_image(made))
    return made


def ordered_output(grad: Tensor, g: Geometry) -> Tensor:
    """Return a gradient of the output (B, O, H', W') stored as the output is, in which order the kernels read it."""
    layer = places(g)
    if grad.dtype != torch.float32 or not _copied(grad, layer):  # of 16 bits, it is read as floats
        return grad
    made, kernels = grad.new_empty_strided(*layer.output_layout), cast("ctypes.CDLL", library())
    kernels.order_output(layer.address, *_image(grad), made.data_ptr(), _threads(layer))
    return made


def _stored(weight: Tensor, layer: Layer) -> Tensor:
    """A weight as it lies in memory, copied only if it lies otherwise."""
    return weight if weight.stride() == layer.weight_layout[1] else stored(weight, layer.dims)


def _copied(grad: Tensor, layer: Layer) -> int:
    """How many values of a gradient of the output are copied: none if it lies in memory as the output does."""
    return 0 if grad.stride() == layer.output_layout[1] else layer.output_values


def _image(image: Tensor) -> tuple[Any, ...]:
    return image.data_ptr(), _strides(image.stride())


@lru_cache(maxsize=256)
def _strides(strides: tuple[int, ...]) -> ctypes.Array[ctypes.c_int64]:
    """Of an image, (B, C, D, H, W); where it has fewer dimensions, the first of these are not there."""
    batch, channels, *size = strides
    return (ctypes.c_int64 * 5)(batch, channels, *(0 for _ in range(3 - len(size))), *size)


def _offsets_of(bias: Tensor, layer: Layer) -> tuple[Tensor, int, int]:
    """A bias (O, H', W') or (O, 1, 1), and how far it is from one location and from one channel to the next."""
    full = layer.output_layout[0][1:]
    if bias.shape != full or not bias.is_contiguous():
        bias = bias.expand(full)
        if not any(bias.stride()[1:]):
            return bias, 0, bias.stride(0)
        bias = bias.contiguous()
    return bias, 1, bias.stride(0)


def _call(name: str, vectors: Vectors, layer: Layer, dtype: torch.dtype, copied: int, *operands: Any) -> None:
    """Call a function of the library with the addresses of operands, and with memory to work in: see ``kernels.c``.

    There is room for a padded input, for ``copied`` further values, and for what each thread works on.
    """
    batch, threads = layer.input.batch, _threads(layer)
    if vectors == Vectors.GROUPS:
        each = LINE * layer.outputs * (layer.taps + batch + 1 + max(layer.taps, batch))
    else:
        windows = batch * layer.taps if vectors == Vectors.FEW_IMAGES else 0
        each = rounded_up(layer.rows * (layer.taps + batch) + windows + layer.outputs)
    room = torch.empty(layer.input_values + copied + threads * each)
    getattr(library(), name)(layer.address, vectors, TYPES[dtype], *operands, room.data_ptr(), each, threads)


def _threads(layer: Layer) -> int:
    return max(1, min(torch.get_num_threads(), layer.input.batch * layer.weights // WORTH_A_THREAD))
