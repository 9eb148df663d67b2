"""Every unit sees every pixel, with weights of its own."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convexp.layers.arguments import Padding, Sizes, flag
from convexp.layers.base import SpatialLayer


class DenseNd(SpatialLayer):
    """The most general linear map between two images (docs/design.md, section 1).

    ``h[o,i,j] = u[o,i,j] + sum_{c,k,l} W[o,i,j,c,k,l] x[c,k,l]``

    Kernel size, stride, padding and dilation only say how many units there are: as many as the convolution that they describe
    would have.

    Shapes: ``weight`` (O*H'*W', C*H*W), ``bias`` (O*H'*W',), both in row-major order; ``(B, C, H, W) -> (B, O, H', W')``. In
    one and three dimensions there are as many spatial dimensions fewer or more.
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
        bias: bool = True,
        padding_mode: str = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, input_size, stride, padding, dilation, 1, padding_mode)
        inputs = in_channels * math.prod(self.input_size)
        units = out_channels * math.prod(self.output_size)
        self.weight = nn.Parameter(torch.empty(units, inputs, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.empty(units, device=device, dtype=dtype)) if flag("bias", bias) else None
        self.reset_parameters()

    def fan_in(self) -> int:
        """Return the number of inputs, every pixel of every channel."""
        return self.in_channels * math.prod(self.input_size)

    def batched(self, x: Tensor) -> Tensor:
        """Apply the layer to a batch: ``(B, C, H, W) -> (B, O, H', W')``."""
        return F.linear(x.flatten(1), self.weight, self.bias).unflatten(1, (self.out_channels, *self.output_size))

    def is_linear(self) -> bool:
        """Return True."""
        return True

    def dense_weight(self) -> Tensor:
        """Return the weights: (O, H', W', C, H, W)."""
        return self.weight.reshape(self.out_channels, *self.output_size, self.in_channels, *self.input_size)

    def weight_count(self) -> int:
        """Return ``C P O L``."""
        return self.in_channels * self.pixels * self.out_channels * self.locations

    def bias_count(self) -> int:
        """Return ``O L``, or 0 without biases."""
        return 0 if self.bias is None else self.out_channels * self.locations

    def flops(self, batch: int) -> tuple[int, int | None]:
        """Return ``2 B C P O L`` and twice that: a product's two gradients are two products of the same size."""
        product = 2 * batch * self.weight_count()
        return product, 2 * product


class Dense1d(DenseNd):
    """``(B, C, L) -> (B, O, L')``."""

    dims = 1


class Dense2d(DenseNd):
    """``(B, C, H, W) -> (B, O, H', W')``."""

    dims = 2


class Dense3d(DenseNd):
    """``(B, C, D, H, W) -> (B, O, D', H', W')``."""

    dims = 3
