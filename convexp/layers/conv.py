"""Every unit sees a window, and all units of a channel share their weights."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convexp.layers.base import SpatialLayer, init_uniform, pad


class Conv2d(SpatialLayer):
    """Convolution (as deep learning means it: cross-correlation), ``nn.Conv2d`` that knows its input size.

    ``h[o,i,j] = u[o] + sum_{c,a,b} V[o,c,a,b] x[c, s*i + d*a - p, s*j + d*b - p]`` (design.md, section 1).

    Shapes: ``weight`` (O, C, k1, k2), ``bias`` (O,); ``(B, C, H, W) -> (B, O, H', W')``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        input_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        padding_mode: str = "zeros",
        bias: bool = True,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, input_size, stride, padding, dilation, padding_mode)
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, *self.kernel_size))  # (O, C, k1, k2)
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None  # (O,)
        init_uniform(self.weight, self.bias, in_channels * self.kernel_size[0] * self.kernel_size[1])

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, O, H', W')``."""
        self.check_input(x)
        if self.padding_mode == "zeros":
            return F.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation)
        return F.conv2d(pad(x, self.padding, self.padding_mode), self.weight, self.bias, self.stride, 0, self.dilation)

    def kernels(self) -> Tensor:
        """Weights as pictures: (O, 1, C, k1, k2), one location for all."""
        return self.weight[:, None]
