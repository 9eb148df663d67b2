"""The locally connected layer in eager code on a CPU: the algorithms are called directly, past torch's dispatcher.

An operator that was made in Python and a function that torch can transform cost some 100 microseconds in a forward and backward
pass, more than the arithmetic of a small layer on one image. They are needed where somebody looks on or in: compilers, tracers,
modes, transforms, tensors of other classes, derivatives of derivatives. For plain tensors in eager code the same algorithm is
called with the same operands.
"""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from convexp.layers import autograd, by_shape
from convexp.layers.call_geometry import call_geometry

_torch: Any = torch._C  # pyright: ignore[reportPrivateUsage]  what tells who looks on has no public name


def _keys(inference: bool) -> int:
    """The parts of torch's dispatcher that an ordinary tensor on a CPU goes through, one bit each."""
    with torch.inference_mode(inference):
        return _torch._dispatch_keys(torch.empty(0, device="cpu")).raw_repr()


PLAIN = (Tensor, torch.nn.Parameter)
ORDINARY = (_keys(inference=False), _keys(inference=True))

_geometry = lru_cache(maxsize=4096)(call_geometry)


def locally_connected(x: Tensor, weight: Tensor, bias: Tensor | None, *geometry: Any) -> Tensor:
    """Apply the layer, with its derivatives, as ``autograd.locally_connected`` does."""
    if nobody_looks_on(x, weight, *(() if bias is None else (bias,))):
        return EagerLocallyConnected.apply(x, weight, bias, *geometry)
    return autograd.locally_connected(x, weight, bias, *geometry)


def nobody_looks_on(*tensors: Tensor) -> bool:
    """Return whether these are ordinary tensors on a CPU, in eager code without dispatch modes, transforms and forward mode."""
    if torch.compiler.is_compiling():  # first: the compiler cannot read what follows
        return False
    for tensor in tensors:
        if type(tensor) not in PLAIN or _torch._dispatch_keys(tensor).raw_repr() not in ORDINARY:
            return False
    return (
        not _torch._len_torch_dispatch_stack()
        and not _torch._are_functorch_transforms_active()
        and not torch.jit.is_tracing()  # pyright: ignore[reportPrivateImportUsage]
        and forward_ad._current_level < 0  # pyright: ignore[reportPrivateUsage]
    )


class EagerLocallyConnected(torch.autograd.Function):
    """``y = forward(x, weight) + bias``, as ``autograd.LocallyConnected``, whose gradient it takes where that is looked at."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, *geometry: Any) -> Tensor:
        """Return the output: (B, O, H', W')."""
        ctx.geometry, ctx.bias_shape = geometry, None if bias is None else bias.shape
        ctx.save_for_backward(x, weight)
        return by_shape.forward(x, weight, bias, _geometry(x.shape, weight.shape, *geometry))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        """Return the gradients in x, weight and bias."""
        (grad,), (x, weight) = grads, ctx.saved_tensors
        if torch.is_grad_enabled() or not nobody_looks_on(grad, x, weight):
            return autograd.LocallyConnected.backward(ctx, grad)
        g = _geometry(x.shape, weight.shape, *ctx.geometry)
        in_x, in_weight, in_bias = ctx.needs_input_grad[:3]
        made_x = made_weight = None
        if in_x and in_weight:
            made_x, made_weight = by_shape.gradients(grad, x, weight, g)
        elif in_x:
            made_x = by_shape.input_gradient(grad, weight, g)
        elif in_weight:
            made_weight = by_shape.weight_gradient(grad, x, g)
        return made_x, made_weight, _summed(grad, ctx.bias_shape) if in_bias else None, *(None for _ in ctx.geometry)


def _summed(grad: Tensor, shape: torch.Size) -> Tensor:
    """The gradient in the bias: the sum of all that it was added to."""
    made = grad.sum(0)
    return made if made.shape == shape else made.sum_to_size(shape)
