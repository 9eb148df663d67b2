"""The wirings of several networks at once: each is one batched matrix product.

Images are (R, C, H, W, B), R networks, with the batch innermost (see ``windows``); every parameter has R in front.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from convexp.layers import native
from convexp.layers.conv import ConvNd
from convexp.layers.dense import DenseNd
from convexp.layers.eager import locally_connected
from convexp.layers.global_conv import GlobalConvNd
from convexp.layers.layout import literature_order
from convexp.layers.local import LocallyConnectedNd, PerLocation
from convexp.layers.low_rank import LowRankLocallyConnectedNd
from convexp.layers.operands import working_type
from convexp.replicas.windows import Window, products_by_channel, products_by_location

Tensors = Mapping[str, Tensor | None]
"""Parameters and buffers of one module of all networks, by their names in it: (R, ...)."""


def product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return ``weight @ x + bias`` for every network: x (N, F, B), weight (N, U, F), bias (N, U, 1)."""
    return torch.bmm(weight, x) if bias is None else torch.baddbmm(bias, weight, x)


def linear(_layer: nn.Module, own: Tensors, x: Tensor) -> Tensor:
    """``nn.Linear``: (R, F, B) -> (R, U, B)."""
    weight, bias = _weight(own), own.get("bias")
    return product(x, weight, None if bias is None else bias.unsqueeze(2))


def dense(layer: DenseNd, own: Tensors, x: Tensor) -> Tensor:
    """A dense layer: (R, C, H, W, B) -> (R, O, H', W', B)."""
    return linear(layer, own, x.flatten(1, -2)).unflatten(1, (layer.out_channels, *layer.output_size))


def conv(layer: ConvNd, own: Tensors, x: Tensor) -> Tensor:
    """A convolution: (R, C, H, W, B) -> (R, O, H', W', B)."""
    weight, bias, groups = _weight(own), own.get("bias"), len(x) * layer.groups
    kernels = weight.reshape(groups, layer.out_channels // layer.groups, -1)  # (R*G, O/G, C/G*k1*k2)
    y = products_by_channel(x, kernels, None if bias is None else bias.reshape(groups, -1, 1), Window.of(layer))
    return y.view(len(x), layer.out_channels, *layer.output_size, x.shape[-1])


def local(layer: LocallyConnectedNd, own: Tensors, x: Tensor) -> Tensor:
    """A locally connected layer: (R, C, H, W, B) -> (R, O, H', W', B)."""
    return _by_location(layer, _weight(own), own.get("bias"), x)


def low_rank(layer: LowRankLocallyConnectedNd, own: Tensors, x: Tensor) -> Tensor:
    """A low-rank local layer: its kernels are mixed, then it is a local one."""
    combination = own["combination"]
    assert combination is not None
    mixture = (combination.softmax(1) if layer.softmax else combination).flatten(2)  # (R, rank, L)
    d = layer.dims
    taps = (3 + d, *range(4, 3 + d), 3)  # of (R, rank, O, C/G, k1, k2), as a local layer has them: (k2, k1, C/G)
    shared = _weight(own).permute(0, 1, 2, *taps).flatten(2)  # (R, rank, O*k2*k1*C/G)
    return _by_location(layer, torch.bmm(mixture.transpose(1, 2), shared), own.get("bias"), x)


def _by_location(layer: PerLocation, weight: Tensor, bias: Tensor | None, x: Tensor) -> Tensor:
    """A layer with kernels of its own at each location, which lie in memory as (R, H', W', O, k2, k1, C/G)."""
    replicas, size, outputs = len(x), layer.output_size, layer.out_channels
    plain = layer.padding_mode == "zeros" and layer.dims < 3 and working_type(x) == x.dtype
    if plain and native.takes(x):
        return _as_one_layer(layer, weight, bias, x)
    products = replicas * layer.locations * layer.groups
    offset = None
    if bias is not None:
        full = bias.expand(replicas, outputs, *size)  # of a bias by channel, (R, O, 1, 1)
        offset = full.permute(0, *range(2, full.dim()), 1).reshape(products, -1, 1)
    kernels = weight.reshape(products, outputs // layer.groups, -1)
    y = products_by_location(x, kernels, offset, Window.of(layer))
    y = y.view(replicas, *size, outputs, x.shape[-1])
    return y.permute(0, -2, *range(1, 1 + layer.dims), -1)


def _as_one_layer(layer: PerLocation, weight: Tensor, bias: Tensor | None, x: Tensor) -> Tensor:
    """The same as a local layer of one more dimension, in which its kernels have the size 1: the networks."""
    replicas, size, d = len(x), layer.output_size, layer.dims
    *rows, columns = layer.kernel_size
    stored = (replicas, *size, layer.out_channels, columns, 1, *rows, layer.in_channels // layer.groups)
    kernels = weight.reshape(stored).permute(literature_order(d + 1))  # (R, H', W', O, C/G, 1, k1, k2)
    offset = None if bias is None else bias.transpose(0, 1).expand(layer.out_channels, replicas, *size)
    images = x.permute(-1, 1, 0, *range(2, 2 + d))  # (B, C, R, H, W)
    window = ((1, *layer.stride), (0, *layer.padding), (1, *layer.dilation))
    y = locally_connected(images, kernels, offset, *window)  # (B, O, R, H', W')
    return y.permute(2, 1, *range(3, 3 + d), 0)


def global_conv(layer: GlobalConvNd, own: Tensors, x: Tensor) -> Tensor:
    """A global convolution as it is computed alone, one network after another, on views of the stacked parameters."""
    each = {name: values.unbind(0) for name, values in own.items() if values is not None}  # its backward pass stacks once
    made: list[Tensor] = []
    for index, images in enumerate(x.unbind(0)):
        mine = {name: values[index] for name, values in each.items()}
        made.append(torch.func.functional_call(layer, mine, (images.movedim(-1, 0),)).movedim(0, -1))
    return torch.stack(made)


def _weight(own: Tensors) -> Tensor:
    weight = own["weight"]
    assert weight is not None
    return weight


Stacked = Callable[[Any, Tensors, Tensor], Tensor]

KINDS: dict[type, Stacked] = {
    nn.Linear: linear,
    DenseNd: dense,
    ConvNd: conv,
    LocallyConnectedNd: local,
    LowRankLocallyConnectedNd: low_rank,
    GlobalConvNd: global_conv,
}
