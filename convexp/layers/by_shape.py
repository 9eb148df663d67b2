"""The locally connected layer on a CPU: each operation by the algorithm that is the fastest for its shape.

A model of their times decides (``algorithms``), also about the kernels in C where there are any (``native``).

Of a type of 16 bits, all is computed in C, in float32, and rounded once; but for many images of large units if this CPU has
matrix products of the type (oneDNN tells), which are then faster. In Python, a type of which it has none is worked on in
float32 and rounded once, too, and so are unfolded windows with one channel: each such operation holds float32 copies of its
operands and result, those of all weights among them, for as long as it lasts.
"""

from functools import lru_cache
from types import ModuleType

import torch
from torch import Tensor

from convexp.layers import batched_gemm, native, tap_products, unfolded_gemm
from convexp.layers.algorithms import IN_C, Algorithm, Operation, fastest
from convexp.layers.call_geometry import Geometry
from convexp.layers.native import few_images, many_groups, many_images, operations

MODULES: dict[Algorithm, ModuleType] = {
    "batched_gemm": batched_gemm,
    "unfolded_gemm": unfolded_gemm,
    "tap_products": tap_products,
    "few_images": few_images,
    "many_images": many_images,
    "many_groups": many_groups,
}

LARGE_UNIT = 32768
"""Weights of a unit from which matrix products in 16 bits are faster than C: on an Intel Xeon with AMX, in bfloat16 and with 16
to 256 images, n = 5, the three operations together take less time in C for units of 18432 weights, and more for 73728."""

FEW_IMAGES = 8
"""Images up to which C is faster for these, too: on an AMD EPYC with AVX512-BF16, for six units of 36864 to 294912 weights, the
three operations together take 0.48 to 1.09 of the time with 1 to 8 images, and 1.17 to 2.00 with 64 or 128 (n = 5)."""


@lru_cache
def multiplies(dtype: torch.dtype) -> bool:
    """Return whether this CPU has matrix products of a type, which oneDNN then uses."""
    if dtype == torch.bfloat16:
        return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    if dtype == torch.float16:
        return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_fp16_supported()
    return True


def choice(operation: Operation, a: Tensor, b: Tensor, g: Geometry) -> Algorithm:
    """Return the algorithm for an operation on two operands."""
    half = a.dtype.itemsize == 2
    large = half and multiplies(a.dtype) and g.unit_channels * g.taps >= LARGE_UNIT and g.batch > FEW_IMAGES
    in_c = native.takes(a) and b.dtype == a.dtype and b.device == a.device and not large
    return fastest(operation, g, in_c=in_c, in_python=not (in_c and half))


def _apply(algorithm: Algorithm, operation: Operation, a: Tensor, b: Tensor, *more: Tensor | None, g: Geometry) -> Tensor:
    compute = getattr(MODULES[algorithm], operation)
    one_channel = algorithm == "unfolded_gemm" and g.group_channels == 1
    if a.dtype.itemsize == 2 and algorithm not in IN_C and (one_channel or not multiplies(a.dtype)):
        return compute(*(None if t is None else t.float() for t in (a, b, *more)), g).to(a.dtype)
    return compute(a, b, *more, g)


def forward(x: Tensor, weight: Tensor, bias: Tensor | None, g: Geometry) -> Tensor:
    """Apply the layer, as ``batched_gemm.forward``: x (B, C, H, W) to (B, O, H', W'), stored as (H', W', O, B)."""
    return _apply(choice("forward", x, weight, g), "forward", x, weight, bias, g=g)


def weight_gradient(grad: Tensor, x: Tensor, g: Geometry) -> Tensor:
    """Return the gradient in the weight, (H', W', O, C/G, k1, k2) stored as weights, as ``batched_gemm.weight_gradient``."""
    return _apply(choice("weight_gradient", grad, x, g), "weight_gradient", grad, x, g=g)


def input_gradient(grad: Tensor, weight: Tensor, g: Geometry) -> Tensor:
    """Return the gradient in x, (B, C, H, W) stored as (H, W, C, B), as ``batched_gemm.input_gradient``."""
    return _apply(choice("input_gradient", grad, weight, g), "input_gradient", grad, weight, g=g)


def gradients(grad: Tensor, x: Tensor, weight: Tensor, g: Geometry) -> tuple[Tensor, Tensor]:
    """Return the gradients in x and in the weight; a ``grad`` that does not lie as the kernels in C read it is copied once."""
    in_x, in_weight = choice("input_gradient", grad, weight, g), choice("weight_gradient", grad, x, g)
    if in_x in IN_C and in_weight in IN_C:
        grad = operations.ordered_output(grad, g)
    return _apply(in_x, "input_gradient", grad, weight, g=g), _apply(in_weight, "weight_gradient", grad, x, g=g)
