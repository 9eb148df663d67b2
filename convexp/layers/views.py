"""Layers of torch as layers of this package, with the same weights in memory, so that probes can ask them about these."""

from collections.abc import Sequence
from typing import Any, cast

from torch import Tensor, nn

from convexp.layers.base import SpatialLayer
from convexp.layers.convert import CONV, DENSE

TORCH = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)
"""The layers of torch that there is a view of."""


def view_conv(conv: nn.Conv1d | nn.Conv2d | nn.Conv3d, input_size: Sequence[int]) -> SpatialLayer:
    """Return a convolution of torch as a layer of this package for one input size, (H, W); the weights are shared, not copied.

    Raises:
        ValueError: If its class computes something else, or this package has no such border.
    """
    kind = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[conv.weight.dim() - 3]
    _check_class(conv, kind, "forward", "_conv_forward")
    made = cast(Any, CONV[conv.weight.dim() - 2])(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,
        input_size,
        conv.stride,
        conv.padding,
        conv.dilation,
        conv.groups,
        conv.bias is not None,
        conv.padding_mode,
        device="meta",
    )
    return _with_weights(made, conv)


def view_linear(linear: nn.Linear, shape: Sequence[int]) -> SpatialLayer:
    """Return an ``nn.Linear`` on a flattened map of ``shape``, (C, H, W), as a dense layer whose window is the whole map.

    It has one location; the weights are shared, not copied.

    Raises:
        ValueError: If its class computes something else.
    """
    _check_class(linear, nn.Linear, "forward")
    channels, *size = shape
    made = cast(Any, DENSE[len(size)])(
        channels, linear.out_features, tuple(size), tuple(size), bias=getattr(linear, "bias", None) is not None, device="meta"
    )
    return _with_weights(made, linear)


def _check_class(module: nn.Module, kind: type, *methods: str) -> None:
    for name in methods:
        if getattr(type(module), name) is not getattr(kind, name):
            raise ValueError(f"{type(module).__name__} has a forward pass of its own")


def _with_weights(made: SpatialLayer, module: nn.Module) -> SpatialLayer:
    for name in ("weight", "bias"):
        value = cast(Tensor | None, getattr(module, name))
        if value is not None:
            delattr(made, name)  # a weight that is computed, as by torch.nn.utils.parametrize, is no parameter
            setattr(made, name, value.detach() if not isinstance(value, nn.Parameter) else value)
    return made.train(module.training)
