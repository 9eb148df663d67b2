"""The locally connected layer on a CPU: each operation by the algorithm that is the fastest for its shape.

A model of their times decides (``algorithms``), also about the kernels in C where there are any (``native``).

A 16-bit type is worked on in float32, and the result is rounded once, if this CPU has no matrix products of it (oneDNN tells),
and where those in float32 are faster, as they are small: of small units in C, and of unfolded windows with one channel. Each
operation then holds float32 copies of its operands and result, those of all weights among them, for as long as it lasts.
"""

from functools import lru_cache
from types import ModuleType

import torch
from torch import Tensor

from convexp.layers import batched_gemm, native, tap_products, unfolded_gemm
from convexp.layers.algorithms import Algorithm, Operation, fastest
from convexp.layers.call_geometry import Geometry
from convexp.layers.native import few_images, many_images

MODULES: dict[Algorithm, ModuleType] = {
    "batched_gemm": batched_gemm,
    "unfolded_gemm": unfolded_gemm,
    "tap_products": tap_products,
    "few_images": few_images,
    "many_images": many_images,
}

SMALL_UNIT = 2048
"""Weights of a unit below which C in float32 is faster than products in 16 bits."""


@lru_cache
def multiplies(dtype: torch.dtype) -> bool:
    """Return whether this CPU has matrix products of a type, which oneDNN then uses."""
    if dtype == torch.bfloat16:
        return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    if dtype == torch.float16:
        return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_fp16_supported()
    return True


def in_c(a: Tensor, b: Tensor, g: Geometry) -> bool:
    """Return whether the kernels in C, which compute in float32, may serve operands of such a type."""
    small = not multiplies(a.dtype) or g.unit_channels * g.taps < SMALL_UNIT
    taken = a.dtype == torch.float32 or (a.dtype.itemsize == 2 and small)
    return taken and b.dtype == a.dtype and b.device == a.device and native.available(a.device)


def _apply(operation: Operation, a: Tensor, b: Tensor, *more: Tensor | None, g: Geometry) -> Tensor:
    compiled = in_c(a, b, g)
    algorithm = fastest(operation, g, in_c=compiled)
    compute = getattr(MODULES[algorithm], operation)
    one_channel = algorithm == "unfolded_gemm" and g.group_channels == 1
    if a.dtype.itemsize == 2 and (compiled or one_channel or not multiplies(a.dtype)):
        return compute(*(None if t is None else t.float() for t in (a, b, *more)), g).to(a.dtype)
    return compute(a, b, *more, g)


def forward(x: Tensor, weight: Tensor, bias: Tensor | None, g: Geometry) -> Tensor:
    """Apply the layer, as ``batched_gemm.forward``: x (B, C, H, W) to (B, O, H', W'), stored as (H', W', O, B)."""
    return _apply("forward", x, weight, bias, g=g)


def weight_gradient(grad: Tensor, x: Tensor, g: Geometry) -> Tensor:
    """Return the gradient in the weight, (H', W', O, C/G, k1, k2) stored as weights, as ``batched_gemm.weight_gradient``."""
    return _apply("weight_gradient", grad, x, g=g)


def input_gradient(grad: Tensor, weight: Tensor, g: Geometry) -> Tensor:
    """Return the gradient in x, (B, C, H, W) stored as (H, W, C, B), as ``batched_gemm.input_gradient``."""
    return _apply("input_gradient", grad, weight, g=g)
