"""Exact conversions between the layers, and the orthogonal projections back (docs/design.md, section 1).

Every convolution is a low-rank local layer, every low-rank one a local layer, and every local layer (like every global
convolution) a dense one: ``as_low_rank``, ``as_local`` and ``as_dense`` return the other layer, with the same output for every
input. In the other direction, ``nearest_local`` and ``nearest_conv`` return the layer whose dense matrix is nearest in the
Frobenius norm.

New layers have parameters of their own, on the same device and of the same type.
"""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from convexp.layers.base import SpatialLayer
from convexp.layers.conv import Conv1d, Conv2d, Conv3d, ConvNd
from convexp.layers.dense import Dense1d, Dense2d, Dense3d, DenseNd
from convexp.layers.local import LocallyConnected1d, LocallyConnected2d, LocallyConnected3d, LocallyConnectedNd, PerLocation
from convexp.layers.low_rank import (
    LowRankLocallyConnected1d,
    LowRankLocallyConnected2d,
    LowRankLocallyConnected3d,
    LowRankLocallyConnectedNd,
)
from convexp.layers.windowed import WindowedLayer

CONV = {1: Conv1d, 2: Conv2d, 3: Conv3d}
LOW_RANK = {1: LowRankLocallyConnected1d, 2: LowRankLocallyConnected2d, 3: LowRankLocallyConnected3d}
LOCAL = {1: LocallyConnected1d, 2: LocallyConnected2d, 3: LocallyConnected3d}
DENSE = {1: Dense1d, 2: Dense2d, 3: Dense3d}


def from_torch(conv: nn.Conv1d | nn.Conv2d | nn.Conv3d, input_size: int | Sequence[int]) -> ConvNd:
    """Return a convolution of torch as a layer for one input size, (H, W): the start of every conversion of a trained network.

    Raises:
        TypeError: If ``conv`` is not a ``torch.nn.Conv1d``, ``Conv2d`` or ``Conv3d``.
    """
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
    """Return a convolution as a low-rank local layer: ``V[i,j] = sum_r s_r[i,j] V_r``, V_0 the kernel, s_0 = 1, other s_r = 0.

    With ``softmax`` the shares are equal, and so are all V_r.

    Raises:
        TypeError: If ``conv`` is not a convolution of ``convexp.layers``.
    """
    _expect(conv, ConvNd)
    made = LOW_RANK[conv.dims](**_window(conv), bias=_bias_kind(conv), rank=rank, softmax=softmax, **_options(conv))
    with torch.no_grad():
        made.combination.zero_()
        if softmax:
            made.weight.copy_(conv.weight.expand_as(made.weight))
        else:
            made.combination[0] = 1
            made.weight[0] = conv.weight
        _copy_bias(made, conv)
    return made


def as_local(layer: WindowedLayer) -> LocallyConnectedNd:
    """Return a layer with windows (a convolution, a low-rank layer) as a local layer: its kernel written out at every location.

    Raises:
        TypeError: If the layer is not one with windows.
    """
    _expect(layer, WindowedLayer)
    made = LOCAL[layer.dims](**_window(layer), bias=_bias_kind(layer), **_options(layer))
    with torch.no_grad():
        made.kernel.copy_(layer.local_kernel())
        _copy_bias(made, layer)
    return made


def as_dense(layer: SpatialLayer) -> DenseNd:
    """Return any layer as the dense layer that it is, with the weights ``layer.dense_weight()``.

    Raises:
        TypeError: If it is not a ``SpatialLayer``, or not linear.
    """
    _expect(layer, SpatialLayer)
    bias = layer.unit_bias()
    made = DENSE[layer.dims](**layer.geometry(), bias=bias is not None, **_options(layer))
    with torch.no_grad():
        made.weight.copy_(layer.dense_weight().reshape_as(made.weight))
        if bias is not None and made.bias is not None:
            made.bias.copy_(bias.flatten())
    return made


def nearest_local(dense: SpatialLayer, groups: int = 1) -> LocallyConnectedNd:
    """Return the local layer nearest to one whose units see all pixels: its weights inside the windows of its own geometry.

    A pixel that a border shows under several taps of a window gets its weight in equal parts. Taps on a zero border are zero.

    Args:
        dense: A dense layer, or another whose units do not see windows.
        groups: Groups of the local layer.

    Raises:
        TypeError: If the layer has windows (see ``as_local``), is not a ``SpatialLayer``, or is not linear.
        ValueError: If ``groups`` do not divide the channels.
    """
    _expect(dense, SpatialLayer)
    if isinstance(dense, WindowedLayer):
        raise TypeError(f"{type(dense).__name__}: should be one of Dense, or another layer without windows; see as_local")
    made = LOCAL[dense.dims](**dense.geometry(), groups=groups, bias=_bias_kind(dense), **_options(dense))
    with torch.no_grad():
        made.kernel.copy_(dense.local_kernel(groups))
        _copy_bias(made, dense)
    return made


def nearest_conv(layer: SpatialLayer, groups: int | None = None) -> ConvNd:
    """Return the convolution nearest to a layer, with the kernel ``layer.conv_kernel(groups)``.

    Least squares over the layer's matrix W: ``sum_t' N[t,t'] v[t'] = sum_L W[L, pixel(L,t)]``, N[t,t'] the number of locations
    at which taps t and t' meet the same pixel. Where no border shows a pixel twice N is diagonal, and v the mean over the
    locations whose tap meets data. Taps that never do are zero.

    Args:
        layer: Any layer that is linear.
        groups: Groups of the convolution, for a layer without windows; a layer with windows has its own.

    Raises:
        TypeError: If the layer is not a ``SpatialLayer``, or not linear.
        ValueError: If the layer has other groups, or they do not divide its channels.
    """
    _expect(layer, SpatialLayer)
    groups, bias = layer.conv_groups(groups), layer.unit_bias()
    made = CONV[layer.dims](**layer.geometry(), groups=groups, bias=bias is not None, **_options(layer))
    with torch.no_grad():
        made.weight.copy_(layer.conv_kernel(groups))
        if bias is not None and made.bias is not None:
            made.bias.copy_(bias.flatten(1).mean(1))
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


def _bias_kind(layer: SpatialLayer) -> Any:
    """The kind of bias of a local layer made from ``layer``: a bias per location can stand for any."""
    if layer.unit_bias() is None:
        return False
    return layer.bias_kind if isinstance(layer, PerLocation) else "location"


def _copy_bias(made: SpatialLayer, layer: SpatialLayer) -> None:
    by_unit = layer.unit_bias()
    if made.bias is not None and by_unit is not None:
        made.bias.copy_(by_unit if made.bias.shape == by_unit.shape else cast(Tensor, layer.bias).reshape_as(made.bias))
