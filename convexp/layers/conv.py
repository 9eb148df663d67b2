"""Every unit sees a window, and all units of a channel share their weights."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convexp.layers.base import Padding, Sizes, SpatialLayer, flag, pad

CONV: dict[int, Any] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


class ConvNd(SpatialLayer):
    """Convolution (as deep learning means it: cross-correlation), ``nn.Conv2d`` that knows its input size.

    ``h[o,i,j] = u[o] + sum_{c,a,b} V[o,c,a,b] x[c, s*i + d*a - p, s*j + d*b - p]`` (docs/design.md, section 1).

    Shapes: ``weight`` (O, C/groups, k1, k2), ``bias`` (O,); ``(B, C, H, W) -> (B, O, H', W')``, in one and three dimensions
    likewise.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        input_size: Sizes,
        stride: Sizes = 1,
        padding: Padding = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, input_size, stride, padding, dilation, groups, padding_mode)
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype)) if flag("bias", bias) else None
        self.reset_parameters()

    def batched(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, O, H', W')``."""
        padding = self.padding
        if self.padding_mode != "zeros":
            x, padding = pad(x, padding, self.padding_mode), 0
        return CONV[self.dims](x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def kernels(self) -> Tensor:
        """Weights as pictures: (O, 1, C/groups, k1, k2), one location for all."""
        return self.weight[:, None]


class Conv1d(ConvNd):
    """``(B, C, L) -> (B, O, L')``."""

    dims = 1


class Conv2d(ConvNd):
    """``(B, C, H, W) -> (B, O, H', W')``."""

    dims = 2


class Conv3d(ConvNd):
    """``(B, C, D, H, W) -> (B, O, D', H', W')``."""

    dims = 3
