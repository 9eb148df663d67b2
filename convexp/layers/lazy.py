"""Locally connected layers that learn their input's channels and size from the first input."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.parameter import UninitializedParameter

from convexp.layers.base import Padding, Sizes
from convexp.layers.local import (
    LocalBias,
    LocallyConnected1d,
    LocallyConnected2d,
    LocallyConnected3d,
    LocallyConnectedNd,
)


class LazyLocallyConnectedNd(LazyModuleMixin, LocallyConnectedNd):
    """As ``LocallyConnected*d`` without ``in_channels`` and ``input_size``; becomes one at the first call."""

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
        # A layer that no kernel or border is too large for stands in until the first input: wrong arguments are told at once.
        window = (stride, padding, dilation, groups, bias, padding_mode)
        base: Any = super()  # the mixin's own are typed for a protocol that no module meets
        base.__init__(groups, out_channels, kernel_size, 2**12, *window, device="meta")
        uninitialized: Any = UninitializedParameter  # whose stub knows no arguments
        self.weight = uninitialized(device=device, dtype=dtype)
        self.bias = uninitialized(device=device, dtype=dtype) if bias else None
        self.in_channels, self.input_size = 0, ()

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        base: Any = super()
        base._save_to_state_dict(destination, prefix, keep_vars)
        self._reorder(destination, prefix)  # the mixin saves on its own

    def initialize_parameters(self, input: Tensor) -> None:
        """Take channels and size from ``input``, (B, C, H, W) or (C, H, W), and start as the layer itself starts.

        Raises:
            ValueError: if the input, or parameters that a state dict has already brought, do not fit.
        """
        if input.dim() not in (self.dims + 1, self.dims + 2):
            raise ValueError(f"input of shape {tuple(input.shape)}: should have {self.dims + 2} dimensions, or one less")
        self._set_input(input.shape[-self.dims - 1], tuple(input.shape[-self.dims :]))
        if not isinstance(self.weight, UninitializedParameter):
            if self.weight.shape != self._weight_shape():
                raise ValueError(f"loaded weight of shape {tuple(self.weight.shape)}: should be {self._weight_shape()}")
            return
        for parameter, shape in ((self.weight, self._weight_shape()), (self.bias, self._bias_shape())):
            if isinstance(parameter, UninitializedParameter):
                parameter.materialize(shape)
        self.reset_parameters()


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
