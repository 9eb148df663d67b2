"""The locally connected layer on a CPU: each operation by the algorithm that is the fastest for its shape.

Where the kernels in C take the operands (``native``) they are the fastest; else a model of the time decides (``algorithms``).

A 16-bit type of which this CPU has no matrix products (oneDNN tells) is worked on in float32, and the result is rounded once.
So are unfolded windows with one channel, of whose small products those in float32 are faster. Each operation then holds float32
copies of its operands and result, those of all weights among them, for as long as it lasts.
"""

from functools import lru_cache
from types import ModuleType

import torch
from torch import Tensor

from convexp.layers import batched_gemm, native, tap_products, unfolded_gemm
from convexp.layers.algorithms import Algorithm, Operation, fastest
from convexp.layers.call_geometry import Geometry

MODULES: dict[Algorithm, ModuleType] = {
    "batched_gemm": batched_gemm,
    "unfolded_gemm": unfolded_gemm,
    "tap_products": tap_products,
}


@lru_cache
def multiplies(dtype: torch.dtype) -> bool:
    """Return whether this CPU has matrix products of a type, which oneDNN then uses."""
    if dtype == torch.bfloat16:
        return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    if dtype == torch.float16:
        return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_fp16_supported()
    return True


def _rounded_once(dtype: torch.dtype, algorithm: Algorithm, g: Geometry) -> bool:
    """Return whether an operation is done in float32 and its result rounded."""
    return not multiplies(dtype) or (dtype.itemsize == 2 and algorithm == "unfolded_gemm" and g.group_channels == 1)


def _apply(operation: Operation, a: Tensor, b: Tensor, *more: Tensor | None, g: Geometry) -> Tensor:
    if native.supports(operation, a, b, g):
        return getattr(native, operation)(a, b, *more, g)
    algorithm = fastest(operation, g)
    compute = getattr(MODULES[algorithm], operation)
    if _rounded_once(a.dtype, algorithm, g):
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
