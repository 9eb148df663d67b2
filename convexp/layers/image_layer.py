"""The arguments that all layers take and the forward pass, checked: the part of a layer that users call."""

import math
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from convexp.geometry import Size, check_border, output_size
from convexp.geometry.requirements import check_groups
from convexp.layers.arguments import Padding, Sizes, check_mode, count, padding_pixels, sizes
from convexp.layers.operands import as_given, with_batch

# What looks at its input is a node of its own where torch.fx traces symbolically.
torch.fx.wrap("with_batch")
torch.fx.wrap("as_given")


class ImageLayer(nn.Module):
    """A layer on images of one known size, in ``dims`` dimensions: ``(B, C, H, W) -> (B, O, H', W')``.

    Args:
        in_channels: Number of input channels C.
        out_channels: Number of output channels O.
        kernel_size: Size of the window, for all dimensions or for each.
        input_size: Size of the input, (H, W).
        stride: Pixels from one unit's window to the next one's.
        padding: Pixels added on each side, ``same`` (which keeps the size at stride 1; odd kernels only) or ``valid`` (none).
        dilation: Pixels from one tap of the kernel to the next.
        groups: Number of parts into which the channels are cut, which do not see each other.
        padding_mode: ``zeros``, ``reflect``, ``replicate`` or ``circular``.

    Attributes:
        output_size: (H', W') = floor((i + 2p - d(k-1) - 1) / s) + 1.

    Raises:
        TypeError, ValueError: If an argument is wrong; the message names it, its value and what would be right.
    """

    dims: ClassVar[int]

    weight: nn.Parameter
    bias: nn.Parameter | None
    in_channels: int
    out_channels: int
    groups: int
    kernel_size: Size
    stride: Size
    padding: Size
    dilation: Size
    padding_mode: str
    input_size: Size
    output_size: Size

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
        padding_mode: str = "zeros",
    ) -> None:
        super().__init__()
        self._set_window(out_channels, kernel_size, stride, padding, dilation, groups, padding_mode)
        self._set_input(in_channels, input_size)

    def _set_window(
        self,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes,
        padding: Padding,
        dilation: Sizes,
        groups: int,
        padding_mode: str,
    ) -> None:
        self.padding_mode = check_mode(padding_mode)
        self.out_channels = count("out_channels", out_channels)
        self.groups = count("groups", groups)
        self.kernel_size = sizes("kernel_size", kernel_size, self.dims, 1)
        self.stride = sizes("stride", stride, self.dims, 1)
        self.dilation = sizes("dilation", dilation, self.dims, 1)
        self.padding = padding_pixels(padding, self.kernel_size, self.dilation)

    def _set_input(self, in_channels: int, input_size: Sizes) -> None:
        self.in_channels = count("in_channels", in_channels)
        check_groups(self.groups, self.in_channels, self.out_channels)
        self.input_size = sizes("input_size", input_size, self.dims, 1)
        check_border(self.input_size, self.padding, self.padding_mode)
        self.output_size = output_size(self.input_size, self.kernel_size, self.stride, self.padding, self.dilation)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer: ``(B, C, H, W) -> (B, O, H', W')``, or ``(C, H, W) -> (O, H', W')``.

        Raises:
            TypeError, ValueError: If ``x`` has another shape or type than the layer, or is on another device.
        """
        batch = with_batch(x, self.weight, getattr(self, "bias", None), (self.in_channels, *self.input_size))
        return as_given(self.batched(batch), x)

    def batched(self, x: Tensor) -> Tensor:
        """Apply the layer to a batch that is known to fit: ``(B, C, H, W) -> (B, O, H', W')``."""
        raise NotImplementedError

    def fan_in(self) -> int:
        """Return the number of inputs of one unit: those in its window, unless a layer says otherwise."""
        return math.prod(self.kernel_size) * self.in_channels // self.groups

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, uniform by the inputs of one unit, as ``nn.Conv2d`` and ``nn.Linear`` do."""
        uniform(self.weight, self.fan_in())
        if self.bias is not None:
            uniform(self.bias, self.fan_in())

    def geometry(self) -> dict[str, Any]:
        """Return the arguments that make another layer with the same units."""
        names = ("in_channels", "out_channels", "kernel_size", "input_size", "stride", "padding", "dilation", "padding_mode")
        return {name: getattr(self, name) for name in names}

    def extra_repr(self) -> str:
        """Return the arguments as ``nn.Conv2d`` shows its own: those that are not the default."""
        shown = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, input_size={self.input_size}"
        shown += f", stride={self.stride}"
        if any(self.padding):
            shown += f", padding={self.padding}"
        if any(d > 1 for d in self.dilation):
            shown += f", dilation={self.dilation}"
        if self.groups > 1:
            shown += f", groups={self.groups}"
        if getattr(self, "bias", None) is None:
            shown += ", bias=False"
        return shown if self.padding_mode == "zeros" else f"{shown}, padding_mode={self.padding_mode}"


def uniform(parameter: Tensor, fan_in: int) -> None:
    """Draw ``parameter`` in place from U(-1/sqrt(fan_in), 1/sqrt(fan_in)).

    The values depend on seed and shape, not on how the tensor lies in memory.
    """
    bound = 1 / math.sqrt(fan_in)
    with torch.no_grad():
        parameter.copy_(torch.empty(parameter.shape, dtype=parameter.dtype, device=parameter.device).uniform_(-bound, bound))
