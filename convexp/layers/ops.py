"""The locally connected layer and its two gradients as operators of torch.

As operators they are opaque to ``torch.compile`` (no graph break), counted by ``torch.utils.flop_counter``, and work on the
meta device. Zero borders only: the other borders are padding before the operator. They have no derivatives: see ``autograd``.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import register_flop_formula

from convexp.layers import batched_gemm, by_shape, layout
from convexp.layers.call_geometry import call_geometry

Sizes = Sequence[int]


def _implementation(a: Tensor, b: Tensor) -> Any:
    """The module that computes: Triton's kernels on a GPU that has them, else plain torch, on a CPU chosen by shape."""
    if a.is_cpu:
        return by_shape
    if a.is_cuda:  # triton takes a while to import
        from convexp.layers import triton_local

        if triton_local.supports(a, b):
            return triton_local
    return batched_gemm


WINDOW = "SymInt[] stride, SymInt[] padding, SymInt[] dilation) -> Tensor"
FORWARD = f"(Tensor x, Tensor weight, Tensor? bias, {WINDOW}"
INPUT_GRADIENT = f"(Tensor grad, Tensor weight, SymInt[] input_size, SymInt groups, {WINDOW}"
WEIGHT_GRADIENT = f"(Tensor grad, Tensor x, SymInt[] kernel_size, SymInt groups, {WINDOW}"


@torch.library.custom_op("convexp::locally_connected", mutates_args=(), schema=FORWARD)
def forward(x: Tensor, weight: Tensor, bias: Tensor | None, stride: Sizes, padding: Sizes, dilation: Sizes) -> Tensor:
    """Apply the layer: the result (B, O, H', W') lies in memory with the batch innermost.

    x is (B, C, H, W), weight (H', W', O, C/G, k1, k2), and bias broadcastable to (O, H', W').
    """
    return _implementation(x, weight).forward(x, weight, bias, call_geometry(x.shape, weight.shape, stride, padding, dilation))


@torch.library.custom_op("convexp::locally_connected_input_gradient", mutates_args=(), schema=INPUT_GRADIENT)
def input_gradient(
    grad: Tensor, weight: Tensor, input_size: Sizes, groups: int, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Tensor:
    """Return the gradient in x of ``sum(grad * forward(x, weight))``: (B, C, H, W), batch innermost."""
    shape = _input_shape(grad, weight, input_size, groups)
    return _implementation(grad, weight).input_gradient(
        grad, weight, call_geometry(shape, weight.shape, stride, padding, dilation)
    )


@torch.library.custom_op("convexp::locally_connected_weight_gradient", mutates_args=(), schema=WEIGHT_GRADIENT)
def weight_gradient(
    grad: Tensor, x: Tensor, kernel_size: Sizes, groups: int, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Tensor:
    """Return the gradient in weight of ``sum(grad * forward(x, weight))``: (H', W', O, C/G, k1, k2), stored as weights are."""
    shape = _weight_shape(grad, x, kernel_size, groups)
    return _implementation(grad, x).weight_gradient(grad, x, call_geometry(x.shape, shape, stride, padding, dilation))


def _input_shape(grad: Tensor, weight: Tensor, input_size: Sizes, groups: int) -> list[int]:
    return [grad.shape[0], groups * weight.shape[grad.dim() - 1], *input_size]


def _weight_shape(grad: Tensor, x: Tensor, kernel_size: Sizes, groups: int) -> list[int]:
    return [*grad.shape[2:], grad.shape[1], x.shape[1] // groups, *kernel_size]


@forward.register_fake
def _(x: Tensor, weight: Tensor, *_: Any) -> Tensor:
    dims = x.dim() - 2
    return layout.new_image(x, [x.shape[0], weight.shape[dims], *weight.shape[:dims]])


@input_gradient.register_fake
def _(grad: Tensor, weight: Tensor, input_size: Sizes, groups: int, *_: Any) -> Tensor:
    return layout.new_image(grad, _input_shape(grad, weight, input_size, groups))


@weight_gradient.register_fake
def _(grad: Tensor, x: Tensor, kernel_size: Sizes, groups: int, *_: Any) -> Tensor:
    return layout.new_weight(x, _weight_shape(grad, x, kernel_size, groups))


# Each of the three operators takes a multiply-add, two FLOPs, for every weight and image.


def _flops(batch: int, weight: Sizes) -> int:
    return 2 * batch * math.prod(weight)


@register_flop_formula(torch.ops.convexp.locally_connected)
def _(x: Sizes, weight: Sizes, *_: Any, **__: Any) -> int:
    return _flops(x[0], weight)


@register_flop_formula(torch.ops.convexp.locally_connected_input_gradient)
def _(grad: Sizes, weight: Sizes, *_: Any, **__: Any) -> int:
    return _flops(grad[0], weight)


@register_flop_formula(torch.ops.convexp.locally_connected_weight_gradient)
def _(grad: Sizes, *_: Any, out_shape: Sizes, **__: Any) -> int:
    return _flops(grad[0], out_shape)
