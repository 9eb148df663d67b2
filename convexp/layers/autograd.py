"""Derivatives of the locally connected layer, of every order and in both modes, and its behaviour under ``vmap``.

The layer is bilinear in input and weight. So the gradients of the layer ``y(x, w)``, of its input gradient ``x(y, w)`` and of
its weight gradient ``w(y, x)`` are each given by the other two, and the derivative of each along tangents by itself (the
product rule). Only the operands are saved for them.

Torch transforms an ``autograd.Function`` in every way but compiles none with a ``jvp``; it compiles an operator but does not
transform it. So eager code calls the functions, compiled and traced code the operators, with the same gradients; where compiled
code is transformed, and in ONNX, which knows neither, the layer is written in standard operators (``standard``).

Under ``vmap`` a mapped image joins the batch if the weight is not mapped; otherwise the mapped dimension becomes groups.
"""

from collections.abc import Callable
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from convexp.layers import ops, standard


def _as_groups(x: Tensor, dim: int | None, mapped: int, channel: int) -> Tensor:
    """``x`` with the mapped dimension (copies, where there is none) in front of dimension ``channel`` and merged with it."""
    x = x.unsqueeze(channel).expand(*x.shape[:channel], mapped, *x.shape[channel:]) if dim is None else x.movedim(dim, channel)
    return x.flatten(channel, channel + 1)


def locally_connected(x: Tensor, weight: Tensor, bias: Tensor | None, *geometry: Any) -> Tensor:
    """Apply the layer, with its derivatives; the arguments are those of ``ops.forward``."""
    if torch.onnx.is_in_onnx_export():
        return standard.forward(x, weight, bias, *geometry)
    if not torch.compiler.is_compiling() and not torch.jit.is_tracing():  # pyright: ignore[reportPrivateImportUsage]
        return LocallyConnected.apply(x, weight, bias, *geometry)
    transformed = torch._C._are_functorch_transforms_active()  # pyright: ignore[reportPrivateUsage]
    return (standard if transformed else ops).forward(x, weight, bias, *geometry)


def _save_operands(ctx: Any, a: Tensor, b: Tensor) -> None:
    ctx.save_for_backward(a, b)
    ctx.save_for_forward(a, b)


def _product_rule(
    ctx: Any, function: Callable[..., Tensor], in_a: Tensor | None, in_b: Tensor | None, more: Tensor | None = None
) -> Tensor:
    """``f(da, b) + f(a, db) + more``; None stands for zero, and not all three are None.

    Torch turns forward mode off while it calls a ``jvp``, which would make forward mode over forward mode wrong: it is turned
    on again, for operands without the tangents that are dealt with here.
    """
    with forward_ad._set_fwd_grad_enabled(True):  # pyright: ignore[reportPrivateUsage]
        a, b = (forward_ad.unpack_dual(tensor).primal for tensor in ctx.saved_tensors)
        terms = [None if in_a is None else function(in_a, b), None if in_b is None else function(a, in_b), more]
        return reduce(torch.add, (term for term in terms if term is not None)).expand(ctx.shape)


class LocallyConnected(torch.autograd.Function):
    """``y = forward(x, weight) + bias``; arguments as ``ops.forward``."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor | None, *geometry: Any) -> Tensor:
        """Return the output: (B, O, H', W')."""
        return ops.forward(x, weight, bias, *geometry)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Save x and weight."""
        x, weight, bias, *ctx.geometry = inputs
        _save_operands(ctx, x, weight)
        ctx.bias_shape, ctx.shape = None if bias is None else bias.shape, output.shape

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        """Return the gradients in x and weight, by the other two operators, and in bias, a sum over all it was added to."""
        (grad,), (x, weight) = grads, ctx.saved_tensors
        dims = x.dim() - 2
        groups = x.shape[1] // weight.shape[dims + 1]
        in_x, in_weight, in_bias = ctx.needs_input_grad[:3]
        return (
            InputGradient.apply(grad, weight, x.shape[2:], groups, *ctx.geometry) if in_x else None,
            WeightGradient.apply(grad, x, weight.shape[dims + 2 :], groups, *ctx.geometry) if in_weight else None,
            grad.sum(0).sum_to_size(ctx.bias_shape) if in_bias else None,
            *(None for _ in ctx.geometry),
        )

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor | None) -> Tensor:
        """Return the derivative along tangents of the inputs: (B, O, H', W')."""
        in_x, in_weight, in_bias, *_ = tangents

        def layer(x: Tensor, weight: Tensor) -> Tensor:
            return LocallyConnected.apply(x, weight, None, *ctx.geometry)

        return _product_rule(ctx, layer, in_x, in_weight, in_bias)

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> tuple[Tensor, int]:
        """Return the outputs of all V copies: (V, B, O, H', W')."""
        x, weight, bias, *geometry = args
        mapped, (in_x, in_weight, in_bias, *_) = info.batch_size, in_dims
        if in_weight is None and in_x is None:
            y = LocallyConnected.apply(x, weight, None, *geometry)
        elif in_weight is None:
            y = LocallyConnected.apply(x.movedim(in_x, 0).flatten(0, 1), weight, None, *geometry).unflatten(0, (mapped, -1))
        else:
            dims = len(geometry[0])
            x, weight = _as_groups(x, in_x, mapped, 1), _as_groups(weight, in_weight, mapped, dims)
            y = LocallyConnected.apply(x, weight, None, *geometry).unflatten(1, (mapped, -1)).movedim(1, 0)
        if bias is not None:
            y = y + (bias if in_bias is None else bias.movedim(in_bias, 0).unsqueeze(1))
        return y, 0


class InputGradient(torch.autograd.Function):
    """The gradient in x of ``sum(grad * forward(x, weight))``; arguments as ``ops.input_gradient``."""

    @staticmethod
    def forward(grad: Tensor, weight: Tensor, *settings: Any) -> Tensor:
        """Return the gradient: (B, C, H, W)."""
        return ops.input_gradient(grad, weight, *settings)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Save grad and weight."""
        grad, weight, *ctx.settings = inputs
        _save_operands(ctx, grad, weight)
        ctx.shape = output.shape

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        """Return the gradients in grad and weight: the upstream gradient takes the place of x."""
        (upstream,), (grad, weight) = grads, ctx.saved_tensors
        _, groups, *geometry = ctx.settings
        return (
            LocallyConnected.apply(upstream, weight, None, *geometry) if ctx.needs_input_grad[0] else None,
            WeightGradient.apply(grad, upstream, weight.shape[grad.dim() :], groups, *geometry)
            if ctx.needs_input_grad[1]
            else None,
            *(None for _ in ctx.settings),
        )

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor | None) -> Tensor:
        """Return the derivative along tangents of the inputs: (B, C, H, W)."""
        return _product_rule(ctx, lambda *operands: InputGradient.apply(*operands, *ctx.settings), *tangents[:2])

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> tuple[Tensor, int]:
        """Return the gradients of all V copies: (V, B, C, H, W) or (B, V, C, H, W)."""
        grad, weight, input_size, groups, *geometry = args
        mapped, (in_grad, in_weight, *_) = info.batch_size, in_dims
        if in_weight is None:
            grad = grad.movedim(in_grad, 0).flatten(0, 1)
            return InputGradient.apply(grad, weight, input_size, groups, *geometry).unflatten(0, (mapped, -1)), 0
        grad, weight = _as_groups(grad, in_grad, mapped, 1), _as_groups(weight, in_weight, mapped, len(input_size))
        return InputGradient.apply(grad, weight, input_size, groups * mapped, *geometry).unflatten(1, (mapped, -1)), 1


class WeightGradient(torch.autograd.Function):
    """The gradient in weight of ``sum(grad * forward(x, weight))``; arguments as ``ops.weight_gradient``."""

    @staticmethod
    def forward(grad: Tensor, x: Tensor, *settings: Any) -> Tensor:
        """Return the gradient: (H', W', O, C/G, k1, k2)."""
        return ops.weight_gradient(grad, x, *settings)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Save grad and x."""
        grad, x, *ctx.settings = inputs
        _save_operands(ctx, grad, x)
        ctx.shape = output.shape

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        """Return the gradients in grad and x: the upstream gradient takes the place of the weight."""
        (upstream,), (grad, x) = grads, ctx.saved_tensors
        _, groups, *geometry = ctx.settings
        return (
            LocallyConnected.apply(x, upstream, None, *geometry) if ctx.needs_input_grad[0] else None,
            InputGradient.apply(grad, upstream, x.shape[2:], groups, *geometry) if ctx.needs_input_grad[1] else None,
            *(None for _ in ctx.settings),
        )

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor | None) -> Tensor:
        """Return the derivative along tangents of the inputs: (H', W', O, C/G, k1, k2)."""
        return _product_rule(ctx, lambda *operands: WeightGradient.apply(*operands, *ctx.settings), *tangents[:2])

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> tuple[Tensor, int]:
        """Return the gradients of all V copies: (H', W', V, O, C/G, k1, k2)."""
        grad, x, kernel_size, groups, *geometry = args
        mapped, (in_grad, in_x, *_), dims = info.batch_size, in_dims, len(kernel_size)
        grad, x = _as_groups(grad, in_grad, mapped, 1), _as_groups(x, in_x, mapped, 1)
        made = WeightGradient.apply(grad, x, kernel_size, groups * mapped, *geometry)
        return made.unflatten(dims, (mapped, -1)), dims


# Compiled code asks for first derivatives alone.
ops.forward.register_autograd(LocallyConnected.backward, setup_context=LocallyConnected.setup_context)
