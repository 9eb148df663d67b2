"""Every unit sees every pixel, and all units of a channel share their weights: a kernel as large as the image."""

import math
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convexp.geometry import Size
from convexp.geometry.fourier import cheaper_by_fourier, fourier_flops, transform_flops
from convexp.geometry.requirements import check_global_border, first_centres
from convexp.layers.arguments import Padding, Sizes, flag
from convexp.layers.base import SpatialLayer
from convexp.layers.fourier_flops import register_transforms
from convexp.layers.operands import working_type
from convexp.layers.taps import seen_pixels

register_transforms()

Units = tuple[int, int, int]


def offsets(weight: Tensor, dim: int, pixels: int, units: Units, circular: bool) -> Tensor:
    """Return the index into the kernel's dimension ``dim`` of each unit, ``first + stride * i``, and pixel: (units, pixels)."""
    (first, stride, count), kernel = units, weight.shape[dim]
    centre = first + stride * torch.arange(count, device=weight.device)
    offset = torch.arange(pixels, device=weight.device) - centre[:, None] + kernel // 2
    return offset % kernel if circular else offset


def fourier(x: Tensor, weight: Tensor, size: Size, units: tuple[Units, ...]) -> Tensor:
    """Correlate by Fourier transforms, (B, C, H, W) -> (B, O, H', W'), in single precision at least: half is too coarse."""
    narrow, wide = working_type(x), torch.promote_types(x.dtype, torch.float32)
    with torch.autocast(x.device.type if x.device.type != "meta" else "cpu", enabled=False):
        y = correlate_circularly(x.to(wide), _origin_first(weight.to(wide), size))
    for dim, (first, stride, count) in enumerate(units, start=2):  # round the grid of the transform, at a circular border
        y = y.index_select(dim, (first + stride * torch.arange(count, device=y.device)) % y.shape[dim])
    return y.to(narrow)


def _origin_first(weight: Tensor, size: Size) -> Tensor:
    """The kernel on the grid of the transform, offset 0 at index 0, negative offsets from the end."""
    middle = [n // 2 for n in weight.shape[2:]]
    more = [n - k for n, k in zip(size, weight.shape[2:], strict=True)]
    borders = [border for pixels in reversed(more) for border in (0, pixels)]  # F.pad begins with the last dimension
    return torch.roll(F.pad(weight, borders), [-m for m in middle], [*range(2, weight.dim())])


# What looks at its operands is a node of its own where torch.fx traces symbolically.
torch.fx.wrap("offsets")
torch.fx.wrap("fourier")


class GlobalConvNd(SpatialLayer):
    """Weight sharing without locality (docs/design.md, section 1).

    ``h[o,i,j] = u[o] + sum_{c,k,l} V[o, c, k - r(i), l - r(j)] x[c,k,l]``, ``r(i) = s*i - p + d(k-1) // 2``: a unit's centre is
    where the window of the convolution that these arguments describe would have its own. At a zero border the offsets
    ``k - r(i)`` run from -(H-1) to H-1; at a circular border they are taken modulo H.

    Computed as a product of Fourier transforms (the correlation theorem) or as the dense layer it is, whichever is cheaper.

    Shapes: ``weight`` (O, C, 2H-1, 2W-1), circular (O, C, H, W), both with offset 0 in the middle (index n // 2);
    ``bias`` (O,); ``(B, C, H, W) -> (B, O, H', W')``. In one and three dimensions there are as many spatial dimensions fewer
    or more.

    Raises:
        ValueError: if ``padding_mode`` is neither zeros nor circular (other borders have no kernel of a fixed size), or if
            a unit's centre lies outside the image.
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
        bias: bool = True,
        padding_mode: Literal["zeros", "circular"] = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        check_global_border(padding_mode)
        super().__init__(in_channels, out_channels, kernel_size, input_size, stride, padding, dilation, 1, padding_mode)
        self.first = first_centres(self.input_size, self.kernel_size, self.stride, self.padding, self.dilation, padding_mode)
        """Centre of the first unit in pixels, by dimension."""
        circular = padding_mode == "circular"
        size = self.input_size if circular else tuple(2 * n - 1 for n in self.input_size)
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, *size, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype)) if flag("bias", bias) else None
        self.reset_parameters()
        self.fourier_size = self.input_size if circular else tuple(2 * n for n in self.input_size)
        """Pixels of the transforms: at a zero border enough that nothing comes round."""
        matrix = 2 * in_channels * math.prod(self.input_size) * out_channels * math.prod(self.output_size)
        self.by_fourier = cheaper_by_fourier(in_channels, out_channels, self.fourier_size, matrix)

    def _units(self, dim: int) -> Units:
        """The centre of the first unit, the stride from one to the next, and the number of units, along one dimension."""
        return self.first[dim], self.stride[dim], self.output_size[dim]

    def dense_weight(self) -> Tensor:
        """Return the weights of the dense layer that this is, equal where the offsets are equal: (O, H', W', C, H, W)."""
        circular, weight = self.padding_mode == "circular", self.weight
        for dim, n in enumerate(self.input_size):
            seen = offsets(self.weight, 2 + dim, n, self._units(dim), circular)  # (units, pixels)
            weight = weight[(slice(None),) * (2 + 2 * dim) + (seen,)]
        units = range(2, 2 + 2 * self.dims, 2)  # weight is (O, C, H', H, W', W)
        return weight.permute(0, *units, 1, *(dim + 1 for dim in units))

    def fan_in(self) -> int:
        """Return the number of inputs, every pixel of every channel."""
        return self.in_channels * math.prod(self.input_size)

    def batched(self, x: Tensor) -> Tensor:
        """Apply the layer to a batch: ``(B, C, H, W) -> (B, O, H', W')``."""
        if self.by_fourier and not torch.onnx.is_in_onnx_export():  # which has no transform of two dimensions
            h = fourier(x, self.weight, self.fourier_size, tuple(self._units(dim) for dim in range(self.dims)))
        else:
            h = self._matrix(x)
        return h if self.bias is None else h + self.bias.view(-1, *(1,) * self.dims).to(h.dtype)

    def _matrix(self, x: Tensor) -> Tensor:
        weight = self.dense_weight().flatten(1 + self.dims).flatten(0, self.dims)  # (O*H'*W', C*H*W)
        return F.linear(x.flatten(1), weight).unflatten(1, (self.out_channels, *self.output_size))

    def kernels(self) -> Tensor:
        """Return the weights as pictures, one location for all: (O, 1, C, 2H-1, 2W-1), circular (O, 1, C, H, W)."""
        return self.weight[:, None]

    def is_linear(self) -> bool:
        """Return True."""
        return True

    def random_conv_share(self) -> float:
        """Return ``E‖P W‖² / E‖W‖²``: the weights are shared already, and P keeps what the windows see."""
        seen = seen_pixels(self)
        return sum(len(row[row >= 0].unique()) for row in seen) / (self.locations * self.pixels)

    def weight_count(self) -> int:
        """Return ``O C (2H-1) (2W-1)``, at a circular border ``O C P``."""
        circular = self.padding_mode == "circular"
        offset_pairs = self.pixels if circular else math.prod(2 * n - 1 for n in self.input_size)
        return self.in_channels * self.out_channels * offset_pairs

    def bias_count(self) -> int:
        """Return O, or 0 without biases."""
        return 0 if self.bias is None else self.out_channels

    def flops(self, batch: int) -> tuple[int, int | None]:
        """Return ``2 B C P O L`` and twice that; by transforms ``fourier_flops`` and those of the kernels' own transforms.

        The backward pass by transforms is None: it depends on how torch computes them.
        """
        pairs = self.in_channels * self.out_channels
        if self.by_fourier:
            images = batch * fourier_flops(self.in_channels, self.out_channels, self.fourier_size)
            return images + pairs * transform_flops(self.fourier_size), None
        product = 2 * batch * pairs * self.pixels * self.locations
        return product, 2 * product


def correlate_circularly(x: Tensor, kernel: Tensor) -> Tensor:
    """``y[b,o,i,j] = sum_{c,k,l} kernel[o, c, k - i, l - j] x[b,c,k,l]``, indices modulo the kernel's size, x zero outside.

    x (B, C, H, W), kernel (O, C, M, N), M >= H, N >= W: (B, O, M, N), by the correlation theorem, in one and three dimensions
    alike. The product of every frequency is one of real matrices, (B, 2C) x (2C, 2O): real and imaginary parts next to each
    other, as they lie in memory.
    """
    size, space = kernel.shape[2:], [*range(2, kernel.dim())]
    signal = torch.fft.rfftn(x, s=size, dim=space).permute(*space, 0, 1).flatten(0, -3)  # (F, B, C)
    wave = torch.fft.rfftn(kernel, dim=space).permute(*space, 1, 0).flatten(0, -3)  # (F, C, O)
    real, imaginary = torch.view_as_real(wave).unbind(-1)
    rows = [torch.stack((real, -imaginary), -1), torch.stack((imaginary, real), -1)]  # times Re x, times Im x: x * conj(kernel)
    factor = torch.stack(rows, 2).flatten(3).flatten(1, 2)  # (F, 2C, 2O)
    product = torch.bmm(torch.view_as_real(signal.contiguous()).flatten(2), factor)  # (F, B, 2O)
    spectrum = torch.view_as_complex(product.unflatten(2, (-1, 2)))  # (F, B, O)
    return torch.fft.irfftn(spectrum.permute(1, 2, 0).unflatten(2, (*size[:-1], -1)), s=size, dim=space)


class GlobalConv1d(GlobalConvNd):
    """``(B, C, L) -> (B, O, L')``."""

    dims = 1


class GlobalConv2d(GlobalConvNd):
    """``(B, C, H, W) -> (B, O, H', W')``."""

    dims = 2


class GlobalConv3d(GlobalConvNd):
    """``(B, C, D, H, W) -> (B, O, D', H', W')``."""

    dims = 3
