"""Every unit sees a window, with weights of its own: locally connected, a convolution without weight sharing."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convexp.layers.base import SpatialLayer, init_uniform, pad


class LocallyConnected2d(SpatialLayer):
    """Locality without weight sharing (design.md, section 1).

    ``h[o,i,j] = u[o,i,j] + sum_{c,a,b} V[i,j,o,c,a,b] x[c, s*i + d*a - p, s*j + d*b - p]``

    With the same kernel at every location it is exactly ``Conv2d``.

    Args:
        bias: ``location`` (one for each unit, O*H'*W'), ``channel`` (one for each channel, as a convolution has) or False.

    Shapes: ``weight`` (H', W', O, C, k1, k2), ``bias`` (O, H', W') or (O, 1, 1); ``(B, C, H, W) -> (B, O, H', W')``.
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
        bias: Literal["location", "channel", False] = "location",
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, input_size, stride, padding, dilation, padding_mode)
        if bias not in ("location", "channel", False):
            raise ValueError(f"bias={bias}: should be location, channel or false")
        self.weight = nn.Parameter(torch.empty(*self.output_size, out_channels, in_channels, *self.kernel_size))
        bias_size = self.output_size if bias == "location" else (1, 1)
        self.bias = nn.Parameter(torch.empty(out_channels, *bias_size)) if bias else None
        init_uniform(self.weight, self.bias, in_channels * self.kernel_size[0] * self.kernel_size[1])

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, O, H', W')``: one matrix product per location, over the windows of the whole batch."""
        self.check_input(x)
        x = pad(x, self.padding, self.padding_mode)
        windows = F.unfold(x, self.kernel_size, self.dilation, 0, self.stride)  # (B, C*k1*k2, H'*W')
        weight = self.weight.flatten(3).flatten(0, 1)  # (H'*W', O, C*k1*k2)
        h = torch.bmm(weight, windows.permute(2, 1, 0))  # (H'*W', O, B)
        h = h.permute(2, 1, 0).unflatten(2, self.output_size)  # (B, O, H', W')
        return h if self.bias is None else h + self.bias

    def kernels(self) -> Tensor:
        """Weights as pictures: (O, H'*W', C, k1, k2)."""
        return self.weight.flatten(0, 1).transpose(0, 1)
