"""Every unit sees every pixel, and all units of a channel share their weights: a kernel as large as the image."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convexp.layers.base import SpatialLayer, init_uniform


class GlobalConv2d(SpatialLayer):
    """Weight sharing without locality (design.md, section 1).

    ``h[o,i,j] = u[o] + sum_{c,k,l} V[o, c, k - r(i), l - r(j)] x[c,k,l]``, ``r(i) = s*i - p + d(k-1) // 2``: a unit's centre is
    where the window of the convolution that these arguments describe would have its own. At a zero border the offsets
    ``k - r(i)`` run from -(H-1) to H-1; at a circular border they are taken modulo H.

    Shapes: ``weight`` (O, C, 2H-1, 2W-1), circular (O, C, H, W), both with offset 0 in the middle (index n // 2);
    ``bias`` (O,); ``(B, C, H, W) -> (B, O, H', W')``.

    Raises:
        ValueError: if ``padding_mode`` is neither zeros nor circular (other borders have no kernel of a fixed size), or if
            a unit's centre lies outside the image.
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
        padding_mode: Literal["zeros", "circular"] = "zeros",
        bias: bool = True,
    ) -> None:
        if padding_mode not in ("zeros", "circular"):
            raise ValueError(f"padding_mode={padding_mode}: a global convolution has zeros or circular")
        super().__init__(in_channels, out_channels, kernel_size, input_size, stride, padding, dilation, padding_mode)
        height, width = self.input_size
        size = (height, width) if padding_mode == "circular" else (2 * height - 1, 2 * width - 1)
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, *size))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        init_uniform(self.weight, self.bias, in_channels * height * width)
        self.register_buffer("rows", self._offsets(0), persistent=False)  # (H', H)
        self.register_buffer("columns", self._offsets(1), persistent=False)  # (W', W)
        self.rows: Tensor
        self.columns: Tensor

    def _offsets(self, dim: int) -> Tensor:
        """Index into the kernel for every pair (unit, pixel) along one dimension."""
        n, kernel = self.input_size[dim], self.weight.shape[2 + dim]
        reach = self.dilation[dim] * (self.kernel_size[dim] - 1) // 2
        first = reach - self.padding[dim]
        last = first + self.stride[dim] * (self.output_size[dim] - 1)
        if self.padding_mode == "zeros" and (first < 0 or last >= n):
            raise ValueError(f"padding={self.padding[dim]}: is at most {reach} here, as every unit's centre must be a pixel")
        centre = first + self.stride[dim] * torch.arange(self.output_size[dim])
        offset = torch.arange(n) - centre[:, None] + kernel // 2
        return offset % kernel if self.padding_mode == "circular" else offset

    def dense_weight(self) -> Tensor:
        """The dense layer this is, with equal weights where the offsets are equal: (O, H', W', C, H, W)."""
        weight = self.weight[:, :, self.rows][..., self.columns]  # (O, C, H', H, W', W)
        return weight.permute(0, 2, 4, 1, 3, 5)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, O, H', W')``."""
        self.check_input(x)
        weight = self.dense_weight().flatten(3).flatten(0, 2)  # (O*H'*W', C*H*W)
        h = F.linear(x.flatten(1), weight).unflatten(1, (self.out_channels, *self.output_size))
        return h if self.bias is None else h + self.bias[:, None, None]

    def kernels(self) -> Tensor:
        """Weights as pictures: (O, 1, C, 2H-1, 2W-1) or (O, 1, C, H, W), one location for all."""
        return self.weight[:, None]
