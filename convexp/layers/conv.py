"""Every unit sees a window, and all units of a channel share their weights."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convexp.layers.arguments import Padding, Sizes, flag
from convexp.layers.operands import pad
from convexp.layers.taps import Taps, offsets_in_window, seen_pixels
from convexp.layers.windowed import WindowedLayer

CONV: dict[int, Any] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


class ConvNd(WindowedLayer):
    """A convolution (as deep learning means it: a cross-correlation), ``nn.Conv2d`` that knows its input size.

    ``h[o,i,j] = u[o] + sum_{c,a,b} V[o,c,a,b] x[c, s*i + d*a - p, s*j + d*b - p]`` (docs/design.md, section 1).

    Arguments are those of ``nn.Conv2d`` plus ``input_size``.

    Shapes: ``weight`` (O, C/groups, k1, k2), ``bias`` (O,); ``(B, C, H, W) -> (B, O, H', W')``. In one and three dimensions
    there are as many spatial dimensions fewer or more.
    """

    shares_weights: ClassVar[bool] = True

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

    @property
    def kernel(self) -> Tensor:
        """The weights at every location, a view: (H', W', O, C/groups, k1, k2)."""
        return self.weight.expand(*self.output_size, *self.weight.shape)

    def batched(self, x: Tensor) -> Tensor:
        """Apply the layer to a batch: ``(B, C, H, W) -> (B, O, H', W')``."""
        padding = self.padding
        if self.padding_mode != "zeros":
            x, padding = pad(x, padding, self.padding_mode), 0
        return CONV[self.dims](x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def kernels(self) -> Tensor:
        """Return the weights as pictures, one location for all: (O, 1, C/groups, k1, k2)."""
        return self.weight[:, None]

    def taps(self) -> Taps:
        """Return the weights by location and tap of the window: a view, as they are the same at every location."""
        by_tap = self.weight.detach().flatten(2).permute(2, 0, 1).flatten(1)  # (T, O*C/G)
        offsets, pixels = (made(self).to(by_tap.device) for made in (offsets_in_window, seen_pixels))
        return Taps(by_tap.expand(self.locations, -1, -1), offsets, pixels, self.shares_weights)

    def conv_kernel(self, groups: int | None = None) -> Tensor:
        """Return the weights: (O, C/groups, k1, k2)."""
        self.conv_groups(groups)
        return self.weight

    @torch.no_grad()
    def conv_residual(self) -> tuple[float, float]:
        """Return 0, and the sum of the squared weights, each counted once and not at every location."""
        return 0.0, float(self.weight.square().sum(dtype=torch.float64))

    def random_conv_share(self) -> float:
        """Return 1: whatever the weights, the layer is a convolution."""
        return 1.0

    def weight_count(self) -> int:
        """Return ``O C/G T``."""
        return self.kernel_weights

    def bias_count(self) -> int:
        """Return O, or 0 without biases."""
        return 0 if self.bias is None else self.out_channels


class Conv1d(ConvNd):
    """``(B, C, L) -> (B, O, L')``."""

    dims = 1


class Conv2d(ConvNd):
    """``(B, C, H, W) -> (B, O, H', W')``."""

    dims = 2


class Conv3d(ConvNd):
    """``(B, C, D, H, W) -> (B, O, D', H', W')``."""

    dims = 3
