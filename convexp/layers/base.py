"""What all layers with a known input size have in common: their arguments, their checks, their border."""

import math
from collections.abc import Iterable, Sequence
from operator import index
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convexp.geometry import Size, check_border, output_size, resolve_padding

# nn.Conv2d's names for the borders, as F.pad calls them.
PAD_MODE = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}

Sizes = int | Sequence[int]
Padding = Sizes | Literal["same", "valid"]


def integer(value: Any) -> int | None:
    """``value`` as an integer, NumPy's and torch's included; None if it is none, and for a bool."""
    if isinstance(value, bool):
        return None
    try:
        return index(value)
    except TypeError:
        return None


def count(name: str, value: Any, least: int = 1) -> int:
    """A number of things.

    Raises:
        TypeError, ValueError: naming the argument, if it is no integer, or less than ``least``.
    """
    number = integer(value)
    if number is None:
        raise TypeError(f"{name}={value!r}: should be an integer")
    if number < least:
        raise ValueError(f"{name}={number}: should be {least} or more")
    return number


def flag(name: str, value: Any) -> bool:
    """Yes or no.

    Raises:
        TypeError: naming the argument, if it is neither.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name}={value!r}: should be True or False")
    return value


def sizes(name: str, value: Any, dims: int, least: int) -> Size:
    """A setting per dimension from one number, or one for each.

    Raises:
        TypeError, ValueError: naming the argument, if it is not one integer or ``dims`` of them, or one is less than ``least``.
    """
    several = isinstance(value, Iterable) and not isinstance(value, str) and getattr(value, "ndim", 1) > 0
    given = [integer(v) for v in (value if several else (value,))]
    values = tuple(v for v in given if v is not None)
    wanted = "one integer" + {1: "", 2: " or two", 3: " or three"}[dims]
    if len(values) != len(given):
        raise TypeError(f"{name}={value!r}: should be {wanted}")
    values = values if several else values * dims
    if len(values) != dims or any(v < least for v in values):
        raise ValueError(f"{name}={value}: should be {wanted}, each {least} or more")
    return values


def check_mode(padding_mode: str) -> str:
    """Raise a ValueError if ``padding_mode`` is none of the borders."""
    if padding_mode not in tuple(PAD_MODE):
        raise ValueError(f"padding_mode={padding_mode}: should be one of {', '.join(PAD_MODE)}")
    return padding_mode


def padding_pixels(padding: Padding, kernel_size: Size, dilation: Size) -> Size:
    """``padding`` in pixels per dimension, checked."""
    pixels = padding if isinstance(padding, str) else sizes("padding", padding, len(kernel_size), 0)
    return resolve_padding(pixels, kernel_size, dilation)


def pad(x: Tensor, padding: Sequence[int], mode: str) -> Tensor:
    """``x`` (B, C, H, W) with ``padding`` = (rows, columns) pixels added on each side."""
    if not any(padding):
        return x
    return F.pad(x, [p for p in reversed(padding) for _ in range(2)], mode=PAD_MODE[mode])  # (B, C, H + 2*rows, W + 2*columns)


def working_type(x: Tensor) -> torch.dtype:
    """The type in which ``x`` is worked on: autocast's where it is on (it leaves float64 alone), else its own."""
    device = x.device.type
    if device == "meta" or x.dtype == torch.float64 or not torch.is_autocast_enabled(device):
        return x.dtype
    return torch.get_autocast_dtype(device)


def check_operands(x: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    """All floating point, of one type (or, under autocast, worked on in one) and on one device.

    Raises:
        TypeError: for what is no tensor, and for the type.
        ValueError: for the device.
    """
    for name, tensor in (("weight", weight), ("input", x), ("bias", bias)):
        if tensor is None and name == "bias":
            continue
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name} of type {type(tensor).__name__}: should be a torch.Tensor")
        if not tensor.is_floating_point():
            raise TypeError(f"{name} of dtype {tensor.dtype}: should be floating point")
        if working_type(tensor) != working_type(weight):
            raise TypeError(f"{name} of dtype {tensor.dtype}: should be the weight's, {weight.dtype}")
        if tensor.device != weight.device:
            raise ValueError(f"{name} on device {tensor.device}: should be on the weight's, {weight.device}")


def with_batch(x: Tensor, weight: Tensor, bias: Tensor | None, shape: tuple[int, ...]) -> Tensor:
    """``x`` as a batch, (B, *shape), once it is known to fit.

    Raises:
        TypeError, ValueError: if ``x`` has another shape or type than the layer, or is on another device.
    """
    check_operands(x, weight, bias)
    traced = torch.jit.is_tracing()  # pyright: ignore[reportPrivateImportUsage]  sizes are tensors then, not to be looked at
    fits = traced or x.shape[-len(shape) :] == shape
    if not fits or x.dim() not in (len(shape), len(shape) + 1):
        wanted = ", ".join(map(str, shape))
        raise ValueError(f"input of shape {tuple(x.shape)}: should be (B, {wanted}), or ({wanted}) without a batch")
    return x.unsqueeze(0) if x.dim() == len(shape) else x


def as_given(y: Tensor, x: Tensor) -> Tensor:
    """``y`` (B, ...), or its only row if the input ``x`` came without a batch."""
    return y if y.dim() == x.dim() else y.squeeze(0)


# What looks at its input is a node of its own where torch.fx traces symbolically.
torch.fx.wrap("with_batch")
torch.fx.wrap("as_given")


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
        self.padding_mode = check_mode(padding_mode)
        self.out_channels = count("out_channels", out_channels)
        self.groups = count("groups", groups)
        self.kernel_size = sizes("kernel_size", kernel_size, self.dims, 1)
        self.stride = sizes("stride", stride, self.dims, 1)
        self.dilation = sizes("dilation", dilation, self.dims, 1)
        self.padding = padding_pixels(padding, self.kernel_size, self.dilation)

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
        batch = with_batch(x, self.weight, getattr(self, "bias", None), (self.in_channels, *self.input_size))
        return as_given(self.batched(batch), x)

    def batched(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, O, H', W')``; what a layer is."""
        raise NotImplementedError

    def fan_in(self) -> int:
        """Inputs of one unit; those in its window, unless a layer says otherwise."""
        return math.prod(self.kernel_size) * self.in_channels // self.groups

    def reset_parameters(self) -> None:
        """Start anew: weight and bias uniform by the inputs of one unit, as ``nn.Conv2d`` and ``nn.Linear`` start."""
        uniform(self.weight, self.fan_in())
        if self.bias is not None:
            uniform(self.bias, self.fan_in())

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


def uniform(parameter: Tensor, fan_in: int) -> None:
    """In place: U(-1/sqrt(fan_in), 1/sqrt(fan_in)). The values depend on seed and shape, not on how a tensor lies in memory."""
    bound = 1 / math.sqrt(fan_in)
    with torch.no_grad():
        parameter.copy_(torch.empty(parameter.shape, dtype=parameter.dtype, device=parameter.device).uniform_(-bound, bound))
