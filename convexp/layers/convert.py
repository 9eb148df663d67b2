"""Exact maps between the layers, and the orthogonal projections back (docs/design.md, section 1).

Every convolution is a low-rank local layer, every low-rank one a local layer, every local layer (and every global convolution)
a dense one: ``as_low_rank``, ``as_local`` and ``as_dense`` give the other layer with the same output for every input. The other
way, ``nearest_local`` and ``nearest_conv`` give the layer whose dense matrix is nearest in the Frobenius norm.

New layers have parameters of their own, on the same device and of the same type. In the shapes L = H'*W' locations, T = k1*k2
taps, P = H*W pixels.
"""

import math
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from convexp.layers.base import SpatialLayer, pad
from convexp.layers.conv import Conv1d, Conv2d, Conv3d, ConvNd
from convexp.layers.dense import Dense1d, Dense2d, Dense3d, DenseNd
from convexp.layers.global_conv import GlobalConv2d
from convexp.layers.local import LocallyConnected1d, LocallyConnected2d, LocallyConnected3d, LocallyConnectedNd, PerLocation
from convexp.layers.low_rank import (
    LowRankLocallyConnected1d,
    LowRankLocallyConnected2d,
    LowRankLocallyConnected3d,
    LowRankLocallyConnectedNd,
)

CONV = {1: Conv1d, 2: Conv2d, 3: Conv3d}
LOW_RANK = {1: LowRankLocallyConnected1d, 2: LowRankLocallyConnected2d, 3: LowRankLocallyConnected3d}
LOCAL = {1: LocallyConnected1d, 2: LocallyConnected2d, 3: LocallyConnected3d}
DENSE = {1: Dense1d, 2: Dense2d, 3: Dense3d}


def seen_pixels(layer: SpatialLayer) -> Tensor:
    """The pixel under every tap of every location, numbered in row-major order: (L, T), -1 where a zero border is."""
    here: Any = {"device": "cpu"}
    found = torch.zeros(1, 1, dtype=torch.long, **here)
    outside = torch.zeros(1, 1, dtype=torch.bool, **here)
    for n, out, k, s, p, d in zip(
        layer.input_size, layer.output_size, layer.kernel_size, layer.stride, layer.padding, layer.dilation, strict=True
    ):
        numbers = torch.arange(1.0, n + 1, dtype=torch.float64, **here)[None, None]
        bordered = pad(numbers, (p,), layer.padding_mode)[0, 0].long() - 1
        pixel = bordered[s * torch.arange(out, **here)[:, None] + d * torch.arange(k, **here)]  # (out, k)
        found = (n * found[:, None, :, None] + pixel[None, :, None, :]).flatten(2).flatten(0, 1)
        outside = (outside[:, None, :, None] | (pixel < 0)[None, :, None, :]).flatten(2).flatten(0, 1)
    return found.masked_fill(outside, -1)


def from_torch(conv: nn.Conv1d | nn.Conv2d | nn.Conv3d, input_size: int | Sequence[int]) -> ConvNd:
    """A convolution of torch, for one input size: the start of every map from a network that is already trained."""
    _expect(conv, nn.Conv1d, nn.Conv2d, nn.Conv3d)
    kind = cast(type[ConvNd], CONV[conv.weight.dim() - 2])
    made = kind(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,
        input_size,
        conv.stride,
        cast(Any, conv.padding),
        conv.dilation,
        conv.groups,
        conv.bias is not None,
        conv.padding_mode,
        **_options(conv),
    )
    with torch.no_grad():
        made.weight.copy_(conv.weight)
        if made.bias is not None and conv.bias is not None:
            made.bias.copy_(conv.bias)
    return made


def as_low_rank(conv: ConvNd, rank: int = 1, softmax: bool = False) -> LowRankLocallyConnectedNd:
    """A convolution as a low-rank local layer: ``V[i,j] = sum_r s_r[i,j] V_r`` with V_0 the kernel, s_0 = 1, the other s_r = 0.

    With ``softmax`` the shares are equal and so are all V_r.
    """
    _expect(conv, ConvNd)
    made = LOW_RANK[conv.dims](**_window(conv), bias=_kind(conv), rank=rank, softmax=softmax, **_options(conv))
    with torch.no_grad():
        made.combination.zero_()
        if softmax:
            made.weight.copy_(conv.weight.expand_as(made.weight))
        else:
            made.combination[0] = 1
            made.weight[0] = conv.weight
        _copy_bias(made, conv)
    return made


def as_local(layer: ConvNd | LowRankLocallyConnectedNd) -> LocallyConnectedNd:
    """A convolution or a low-rank layer as a local layer: its kernel written out at every location."""
    _expect(layer, ConvNd, LowRankLocallyConnectedNd)
    made = LOCAL[layer.dims](**_window(layer), bias=_kind(layer), **_options(layer))
    with torch.no_grad():
        made.kernel.copy_(_located(layer).expand_as(made.kernel))
        _copy_bias(made, layer)
    return made


def as_dense(layer: SpatialLayer) -> DenseNd:
    """Any layer as the dense layer it is: ``W[o,i,j,c,k,l]``, the sum of the weights of all taps of (i,j) on pixel (k,l)."""
    _expect(layer, SpatialLayer)
    made = DENSE[layer.dims](**layer.geometry(), bias=layer.bias is not None, **_options(layer))
    with torch.no_grad():
        made.weight.copy_(_matrix(layer).reshape_as(made.weight))
        if layer.bias is not None and made.bias is not None:
            made.bias.copy_(_bias_by_unit(layer).flatten())
    return made


def nearest_local(dense: DenseNd, groups: int = 1) -> LocallyConnectedNd:
    """The local layer nearest to a dense one: its weights inside the windows (those of the dense layer's own geometry).

    A pixel that a border shows under several taps of a window gets its weight in equal parts. Taps on a zero border are zero.
    """
    _expect(dense, DenseNd)
    made = LOCAL[dense.dims](**dense.geometry(), groups=groups, bias=_kind(dense), **_options(dense))
    pixels = seen_pixels(dense).to(dense.weight.device)
    shown = same_pixel(pixels).sum(2).clamp(min=1)  # (L, T)
    with torch.no_grad():
        weights = _at_taps(dense, pixels, groups) / shown[:, None, None].to(dense.weight.dtype)
        made.kernel.copy_(weights.unflatten(0, made.output_size).unflatten(-1, made.kernel_size))
        _copy_bias(made, dense)
    return made


def nearest_conv(layer: LocallyConnectedNd | LowRankLocallyConnectedNd | DenseNd, groups: int | None = None) -> ConvNd:
    """The convolution nearest to a layer.

    Least squares over the layer's matrix: ``sum_t' N[t,t'] v[t'] = sum_L W[L, pixel(L,t)]``, N[t,t'] the number of locations at
    which taps t and t' meet the same pixel. Where no border shows a pixel twice N is diagonal, and v the mean over the
    locations whose tap meets data. Taps that never do are zero.

    Args:
        layer: a local, low-rank or dense layer.
        groups: of the convolution, for a dense layer (default 1); another layer has its own.

    Raises:
        TypeError, ValueError: for another layer, and for groups that it does not have or that do not divide its channels.
    """
    _expect(layer, LocallyConnectedNd, LowRankLocallyConnectedNd, DenseNd)
    own = groups or 1 if isinstance(layer, DenseNd) else layer.groups
    if groups not in (None, own):
        raise ValueError(f"groups={groups}: should be the layer's own, {own}")
    groups = own
    made = CONV[layer.dims](**layer.geometry(), groups=groups, bias=layer.bias is not None, **_options(layer))
    pixels = seen_pixels(layer).to(layer.weight.device)
    same = same_pixel(pixels).double()  # (L, T, T)
    with torch.no_grad():
        if isinstance(layer, DenseNd):
            found = _at_taps(layer, pixels, groups).double().sum(0)  # (O, C/G, T)
        else:
            kernels = _located(layer).flatten(0, layer.dims - 1).flatten(3).double()  # (L, O, C/G, T)
            found = torch.einsum("ltu,locu->oct", same, kernels)
        kernel = found @ torch.linalg.pinv(same.sum(0), hermitian=True)
        made.weight.copy_(kernel.unflatten(-1, made.kernel_size))
        if made.bias is not None:
            made.bias.copy_(_bias_by_unit(layer).flatten(1).mean(1))
    return made


def _expect(layer: Any, *kinds: type[nn.Module]) -> None:
    if not isinstance(layer, kinds):
        wanted = ", ".join(kind.__name__.removesuffix("Nd") for kind in kinds)
        hint = "; from_torch makes one of torch's" if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d) else ""
        raise TypeError(f"{type(layer).__module__}.{type(layer).__name__}: should be one of {wanted}{hint}")


def _options(layer: nn.Module) -> dict[str, Any]:
    weight = cast(Tensor, layer.weight)
    return {"device": weight.device, "dtype": weight.dtype}


def _window(layer: SpatialLayer) -> dict[str, Any]:
    return layer.geometry() | {"groups": layer.groups}


def _kind(layer: SpatialLayer) -> Any:
    """The kind of bias of a local layer made from ``layer``: a bias per location can stand for any."""
    if layer.bias is None:
        return False
    return layer.bias_kind if isinstance(layer, PerLocation) else "location"


def _bias_by_unit(layer: SpatialLayer) -> Tensor:
    """(O, H', W')."""
    bias = cast(Tensor, layer.bias)
    if bias.numel() == layer.out_channels:
        bias = bias.reshape(-1, *(1,) * layer.dims)
        return bias.expand(-1, *layer.output_size)
    return bias.reshape(layer.out_channels, *layer.output_size)


def _copy_bias(made: SpatialLayer, layer: SpatialLayer) -> None:
    if made.bias is not None:
        by_unit = _bias_by_unit(layer)
        made.bias.copy_(by_unit if made.bias.shape == by_unit.shape else cast(Tensor, layer.bias).reshape_as(made.bias))


def _located(layer: SpatialLayer) -> Tensor:
    """The kernel at every location, (H', W', O, C/G, k1, k2); for a convolution (1, 1, O, C/G, k1, k2)."""
    if isinstance(layer, ConvNd):
        return layer.weight.reshape(*(1,) * layer.dims, *layer.weight.shape)
    with torch.autocast(layer.weight.device.type if not layer.weight.is_meta else "cpu", enabled=False):
        return cast(PerLocation, layer).kernel


def _matrix(layer: SpatialLayer) -> Tensor:
    """(O, L, C, P)."""
    locations, pixels = math.prod(layer.output_size), math.prod(layer.input_size)
    shape = (layer.out_channels, locations, layer.in_channels, pixels)
    if isinstance(layer, DenseNd):
        return layer.weight.reshape(shape)
    if isinstance(layer, GlobalConv2d):
        return layer.dense_weight().reshape(shape)
    seen = seen_pixels(layer).to(layer.weight.device)  # (L, T)
    located = _located(layer)
    kernels = located.expand(*layer.output_size, *located.shape[layer.dims :]).flatten(0, layer.dims - 1).flatten(3)
    kernels = kernels * (seen >= 0)[:, None, None].to(kernels.dtype)  # (L, O, C/G, T)
    channels = layer.in_channels // layer.groups
    parts = kernels.transpose(0, 1).unflatten(0, (layer.groups, -1))  # (G, O/G, L, C/G, T)
    index = seen.clamp(min=0)[:, None].expand_as(parts)
    matrix = kernels.new_zeros(layer.groups, shape[0] // layer.groups, *shape[1:])
    for group in range(layer.groups):
        block = matrix[group, :, :, group * channels : (group + 1) * channels]
        block.scatter_add_(3, index[group], parts[group])
    return matrix.flatten(0, 1)


def _at_taps(dense: DenseNd, pixels: Tensor, groups: int) -> Tensor:
    """The dense layer's weights where the taps are, zero on a zero border: (L, O, C/G, T)."""
    matrix = _matrix(dense).unflatten(0, (groups, -1)).unflatten(3, (groups, -1))  # (G, O/G, L, G, C/G, P)
    own = matrix.diagonal(dim1=0, dim2=3).movedim(-1, 0).flatten(0, 1)  # (O, L, C/G, P)
    index = pixels.clamp(min=0)[:, None].expand(*own.shape[:3], pixels.shape[1])
    return (own.gather(3, index) * (pixels >= 0)[:, None].to(own.dtype)).transpose(0, 1)


def same_pixel(pixels: Tensor) -> Tensor:
    """Whether two taps of a location meet the same pixel: (L, T, T)."""
    return (pixels[:, :, None] == pixels[:, None]) & (pixels >= 0)[:, None]
