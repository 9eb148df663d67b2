"""What all layers with a known input size have in common."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convexp.geometry import Size, output_size

# nn.Conv2d's names for the borders, as F.pad calls them.
PAD_MODE = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


def pair(name: str, value: int | Sequence[int], least: int) -> tuple[int, int]:
    """A 2-D setting from one number or two.

    Raises:
        ValueError: naming the argument, if it is not one or two integers of at least ``least``.
    """
    values = (value, value) if isinstance(value, int) else tuple(value)
    if len(values) != 2 or any(v < least for v in values):
        raise ValueError(f"{name}={value}: should be one integer or two, each {least} or more")
    return values[0], values[1]


def pad(x: Tensor, padding: Sequence[int], mode: str) -> Tensor:
    """``x`` (B, C, H, W) with ``padding`` = (rows, columns) pixels added on each side."""
    if not any(padding):
        return x
    rows, columns = padding
    return F.pad(x, (columns, columns, rows, rows), mode=PAD_MODE[mode])  # (B, C, H + 2*rows, W + 2*columns)


class SpatialLayer(nn.Module):
    """A layer on ``(B, C, H, W)`` of one known size: its geometry, its checks and its ``repr``.

    Attributes:
        input_size: (H, W).
        output_size: (H', W') = floor((i + 2p - d(k-1) - 1) / s) + 1.

    Raises:
        ValueError: naming the argument, if a size is not positive, the window does not fit or the border is unknown.
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
    ) -> None:
        super().__init__()
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels < 1:
                raise ValueError(f"{name}={channels}: should be 1 or more")
        if padding_mode not in PAD_MODE:
            raise ValueError(f"padding_mode={padding_mode}: should be one of {', '.join(PAD_MODE)}")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = pair("kernel_size", kernel_size, 1)
        self.input_size = pair("input_size", input_size, 1)
        self.stride = pair("stride", stride, 1)
        self.padding = pair("padding", padding, 0)
        self.dilation = pair("dilation", dilation, 1)
        self.padding_mode = padding_mode
        if padding_mode == "reflect" and any(p >= i for p, i in zip(self.padding, self.input_size, strict=True)):
            raise ValueError(f"padding={self.padding}: is less than input_size={self.input_size} with padding_mode=reflect")
        if padding_mode == "circular" and any(p > i for p, i in zip(self.padding, self.input_size, strict=True)):
            raise ValueError(f"padding={self.padding}: is at most input_size={self.input_size} with padding_mode=circular")
        self.output_size: Size = output_size(self.input_size, self.kernel_size, self.stride, self.padding, self.dilation)

    def check_input(self, x: Tensor) -> None:
        """Raise a ValueError if ``x`` is not ``(B, in_channels, *input_size)``."""
        expected = (self.in_channels, *self.input_size)
        if x.dim() != 4 or x.shape[1:] != expected:
            raise ValueError(f"input of shape {tuple(x.shape)}: should be (B, {', '.join(map(str, expected))})")

    def extra_repr(self) -> str:
        """The arguments, as ``nn.Conv2d`` shows its own."""
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, input_size={self.input_size}, "
            f"stride={self.stride}, padding={self.padding}, dilation={self.dilation}, padding_mode={self.padding_mode}"
        )


def init_uniform(weight: Tensor, bias: Tensor | None, fan_in: int) -> None:
    """In place: U(-1/sqrt(fan_in), 1/sqrt(fan_in)), as ``nn.Conv2d`` and ``nn.Linear`` start; fan_in: inputs of one unit."""
    bound = 1 / math.sqrt(fan_in)
    with torch.no_grad():
        weight.uniform_(-bound, bound)
        if bias is not None:
            bias.uniform_(-bound, bound)
