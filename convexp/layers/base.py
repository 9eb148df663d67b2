"""What all layers with a known input size have in common: their arguments, their checks, their border."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convexp.geometry import Size, check_border, output_size, resolve_padding

# nn.Conv2d's names for the borders, as F.pad calls them.
PAD_MODE = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}

Sizes = int | Sequence[int]
Padding = Sizes | Literal["same", "valid"]


def count(name: str, value: Any) -> int:
    """A number of things.

    Raises:
        TypeError, ValueError: naming the argument, if it is no integer, or less than 1.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name}={value!r}: should be an integer")
    if value < 1:
        raise ValueError(f"{name}={value}: should be 1 or more")
    return value


def sizes(name: str, value: Any, dims: int, least: int) -> Size:
    """A setting per dimension from one number, or one for each.

    Raises:
        TypeError, ValueError: naming the argument, if it is not one integer or ``dims`` of them, or one is less than ``least``.
    """
    values = (value,) * dims if isinstance(value, int) else tuple(value) if isinstance(value, Sequence) else (value,)
    wanted = "one integer" + {1: "", 2: " or two", 3: " or three"}[dims]
    if any(not isinstance(v, int) or isinstance(v, bool) for v in values):
        raise TypeError(f"{name}={value!r}: should be {wanted}")
    if len(values) != dims or any(v < least for v in values):
        raise ValueError(f"{name}={value}: should be {wanted}, each {least} or more")
    return values


def pad(x: Tensor, padding: Sequence[int], mode: str) -> Tensor:
    """``x`` (B, C, H, W) with ``padding`` = (rows, columns) pixels added on each side."""
    if not any(padding):
        return x
    return F.pad(x, [p for p in reversed(padding) for _ in range(2)], mode=PAD_MODE[mode])  # (B, C, H + 2*rows, W + 2*columns)


def autocasts(x: Tensor) -> bool:
    """Whether autocast is on where ``x`` is."""
    return x.device.type != "meta" and torch.is_autocast_enabled(x.device.type)


def check_operands(x: Tensor, weight: Tensor) -> None:
    """Both floating point, of one type (but under autocast) and on one device.

    Raises:
        TypeError: for the type.
        ValueError: for the device.
    """
    if not x.is_floating_point():
        raise TypeError(f"input of dtype {x.dtype}: should be floating point, as the weight's {weight.dtype}")
    if x.dtype != weight.dtype and not autocasts(x):
        raise TypeError(f"input of dtype {x.dtype}: should be the weight's, {weight.dtype}")
    if x.device != weight.device:
        raise ValueError(f"input on device {x.device}: should be on the weight's, {weight.device}")


class SpatialLayer(nn.Module):
    """A layer on ``(B, C, H, W)`` of one known size, or ``(C, H, W)`` without a batch, in ``dims`` dimensions.

    Args:
        in_channels: C.
        out_channels: O.
        kernel_size: of the window, for all dimensions or for each.
        input_size: (H, W).
        stride: from one unit's window to the next one's.
        padding: pixels added on each side, ``same`` (size kept at stride 1; odd kernels) or ``valid`` (none).
        dilation: from one tap of the kernel to the next.
        groups: channels are cut into so many parts that do not see each other.
        padding_mode: ``zeros``, ``reflect``, ``replicate`` or ``circular``.

    Attributes:
        output_size: (H', W') = floor((i + 2p - d(k-1) - 1) / s) + 1.

    Raises:
        TypeError, ValueError: naming the argument, its value and what would be right.
    """

    dims: ClassVar[int]
    weight: nn.Parameter
    bias: nn.Parameter | None

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
        if padding_mode not in PAD_MODE:
            raise ValueError(f"padding_mode={padding_mode}: should be one of {', '.join(PAD_MODE)}")
        self.out_channels = count("out_channels", out_channels)
        self.groups = count("groups", groups)
        self.kernel_size = sizes("kernel_size", kernel_size, self.dims, 1)
        self.stride = sizes("stride", stride, self.dims, 1)
        self.dilation = sizes("dilation", dilation, self.dims, 1)
        pixels = padding if isinstance(padding, str) else sizes("padding", padding, self.dims, 0)
        self.padding = resolve_padding(pixels, self.kernel_size, self.dilation)
        self.padding_mode = padding_mode

    def _set_input(self, in_channels: int, input_size: Sizes) -> None:
        self.in_channels = count("in_channels", in_channels)
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ValueError(
                f"groups={self.groups}: should divide in_channels={in_channels} and out_channels={self.out_channels}"
            )
        self.input_size = sizes("input_size", input_size, self.dims, 1)
        check_border(self.input_size, self.padding, self.padding_mode)
        self.output_size: Size = output_size(self.input_size, self.kernel_size, self.stride, self.padding, self.dilation)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, O, H', W')``, or ``(C, H, W) -> (O, H', W')``.

        Raises:
            TypeError, ValueError: if ``x`` has another shape or type than the layer, or is on another device.
        """
        expected = (self.in_channels, *self.input_size)
        if x.dim() not in (self.dims + 1, self.dims + 2) or x.shape[-self.dims - 1 :] != expected:
            shape = ", ".join(map(str, expected))
            raise ValueError(f"input of shape {tuple(x.shape)}: should be (B, {shape}), or ({shape}) without a batch")
        check_operands(x, self.weight)
        return self.batched(x) if x.dim() == self.dims + 2 else self.batched(x.unsqueeze(0)).squeeze(0)

    def batched(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, O, H', W')``; what a layer is."""
        raise NotImplementedError

    def geometry(self) -> dict[str, Any]:
        """The arguments that make another layer with the same units."""
        names = ("in_channels", "out_channels", "kernel_size", "input_size", "stride", "padding", "dilation", "padding_mode")
        return {name: getattr(self, name) for name in names}

    def extra_repr(self) -> str:
        """The arguments, as ``nn.Conv2d`` shows its own: those that are not the default."""
        shown = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, input_size={self.input_size}"
        shown += f", stride={self.stride}"
        if any(self.padding):
            shown += f", padding={self.padding}"
        if any(d > 1 for d in self.dilation):
            shown += f", dilation={self.dilation}"
        if self.groups > 1:
            shown += f", groups={self.groups}"
        if self.bias is None:
            shown += ", bias=False"
        return shown if self.padding_mode == "zeros" else f"{shown}, padding_mode={self.padding_mode}"


def uniform(weight: Tensor, bias: Tensor | None, fan_in: int) -> None:
    """In place: U(-1/sqrt(fan_in), 1/sqrt(fan_in)), as ``nn.Conv2d`` and ``nn.Linear`` start; fan_in: inputs of one unit.

    The values depend on the seed and the shape, not on how a weight lies in memory.
    """
    bound = 1 / math.sqrt(fan_in)
    with torch.no_grad():
        weight.copy_(torch.empty(weight.shape, dtype=weight.dtype, device=weight.device).uniform_(-bound, bound))
        if bias is not None:
            bias.uniform_(-bound, bound)
