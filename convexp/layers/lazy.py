"""Locally connected layers that learn their input's channels and size from the first input."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.parameter import UninitializedParameter, is_lazy

from convexp.layers.arguments import Padding, Sizes
from convexp.layers.image_layer import uniform
from convexp.layers.local import (
    LocalBias,
    LocallyConnected1d,
    LocallyConnected2d,
    LocallyConnected3d,
    LocallyConnectedNd,
    check_bias,
)
from convexp.layers.operands import check_operands


class Unfitted(LocallyConnectedNd):
    """A locally connected layer that knows its window, and not yet its input's channels and size."""

    def __init__(
        self,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Padding = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: LocalBias = "location",
        padding_mode: str = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        nn.Module.__init__(self)
        self._set_window(out_channels, kernel_size, stride, padding, dilation, groups, padding_mode)
        self.bias_kind = check_bias(bias)
        uninitialized: Any = UninitializedParameter  # whose stub knows no arguments
        self.weight = uninitialized(device=device, dtype=dtype)
        self.bias = uninitialized(device=device, dtype=dtype) if bias else None
        self.in_channels, self.input_size, self.output_size = 0, (), ()


class LazyLocallyConnectedNd(LazyModuleMixin, Unfitted):
    """A locally connected layer without ``in_channels`` and ``input_size``, which becomes a complete one at the first call."""

    def initialize_parameters(self, input: Tensor) -> None:
        """Take channels and size from ``input``, (B, C, H, W) or (C, H, W), and draw the parameters as the complete layer does.

        Raises:
            TypeError, ValueError: If the input, or parameters that a state dict has already brought, do not fit.
        """
        check_operands(input, self.weight, self.bias)
        if input.dim() not in (self.dims + 1, self.dims + 2):
            raise ValueError(f"input of shape {tuple(input.shape)}: should have {self.dims + 2} dimensions, or one less")
        self._set_input(input.shape[-self.dims - 1], tuple(input.shape[-self.dims :]))
        wanted = {"weight": self._weight_shape()} | ({} if self.bias is None else {"bias": self._bias_shape()})
        for name, shape in wanted.items():
            loaded: Any = getattr(self, name)
            if not is_lazy(loaded) and loaded.shape != shape:
                raise ValueError(f"loaded {name} of shape {tuple(loaded.shape)}: should be {shape}")
        for name, shape in wanted.items():
            parameter: Any = getattr(self, name)
            if is_lazy(parameter):
                parameter.materialize(shape)
                uniform(self.kernel if name == "weight" else parameter, self.fan_in())


class LazyLocallyConnected1d(LazyLocallyConnectedNd):
    """``LocallyConnected1d`` that learns ``in_channels`` and ``input_size``."""

    dims = 1
    cls_to_become = LocallyConnected1d


class LazyLocallyConnected2d(LazyLocallyConnectedNd):
    """``LocallyConnected2d`` that learns ``in_channels`` and ``input_size``."""

    dims = 2
    cls_to_become = LocallyConnected2d


class LazyLocallyConnected3d(LazyLocallyConnectedNd):
    """``LocallyConnected3d`` that learns ``in_channels`` and ``input_size``."""

    dims = 3
    cls_to_become = LocallyConnected3d
