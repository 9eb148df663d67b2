"""Every unit sees every pixel, with weights of its own."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convexp.layers.base import SpatialLayer, init_uniform


class Dense2d(SpatialLayer):
    """The most general linear map between two images (design.md, section 1).

    ``h[o,i,j] = u[o,i,j] + sum_{c,k,l} W[o,i,j,c,k,l] x[c,k,l]``

    Kernel size, stride, padding and dilation only say how many units there are: as many as the convolution they describe
    would have.

    Shapes: ``weight`` (O*H'*W', C*H*W), ``bias`` (O*H'*W',), both in row-major order; ``(B, C, H, W) -> (B, O, H', W')``.
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
        inputs = in_channels * self.input_size[0] * self.input_size[1]
        units = out_channels * self.output_size[0] * self.output_size[1]
        self.weight = nn.Parameter(torch.empty(units, inputs))
        self.bias = nn.Parameter(torch.empty(units)) if bias else None
        init_uniform(self.weight, self.bias, inputs)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, O, H', W')``."""
        self.check_input(x)
        return F.linear(x.flatten(1), self.weight, self.bias).unflatten(1, (self.out_channels, *self.output_size))

    def kernels(self) -> Tensor:
        """Weights as pictures: (O, H'*W', C, H, W)."""
        return self.weight.reshape(self.out_channels, -1, self.in_channels, *self.input_size)
