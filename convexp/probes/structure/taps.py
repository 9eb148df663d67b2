"""A layer's weights by location and tap, whatever its wiring: what the probes of structure look at.

L = H'*W' locations, T taps (the pixels of a window, or all there are), M = O*C/groups weights of each pair of these.
"""

import math
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from convexp.geometry import extent
from convexp.layers.base import SpatialLayer
from convexp.layers.conv import ConvNd
from convexp.layers.convert import seen_pixels
from convexp.layers.dense import DenseNd
from convexp.layers.global_conv import GlobalConv2d
from convexp.layers.local import PerLocation
from convexp.models import Network
from convexp.probes.errors import NotApplicableError
from convexp.probes.modules import find_modules

KINDS = (ConvNd, PerLocation, DenseNd, GlobalConv2d)


@dataclass(frozen=True)
class Taps:
    """Attributes:

    weights: (L, T, M).
    offsets: (L, T, D), from the middle of the location's window to the tap, in pixels; whole, or half for an even window.
    seen: (L, T) bool, whether the tap meets data; on a border of zeros it does not, and its weight is never used.
    shared: whether the layer has but one weight for all locations, whatever was learned.
    """

    weights: Tensor
    offsets: Tensor
    seen: Tensor
    shared: bool

    def energy(self) -> Tensor:
        """Sum of the squared weights, 0 where nothing is seen: (L, T), float64."""
        return self.weights.square().sum(2, dtype=torch.float64) * self.seen

    def distance(self) -> Tensor:
        """max |a_i| over the dimensions: (L, T)."""
        return self.offsets.abs().amax(2)


def taps(layer: SpatialLayer) -> Taps:
    """The weights of a layer of ``convexp.layers``.

    Raises:
        TypeError: for a wiring of another kind.
    """
    weights = _weights(layer).detach()
    everywhere = isinstance(layer, DenseNd | GlobalConv2d)
    offsets = _to_pixels(layer) if everywhere else _in_window(layer)
    seen = torch.ones(offsets.shape[:2], dtype=torch.bool) if everywhere else seen_pixels(layer) >= 0
    shared = isinstance(layer, ConvNd | GlobalConv2d)
    return Taps(weights, offsets.to(weights.device), seen.to(weights.device), shared)


def _weights(layer: SpatialLayer) -> Tensor:
    """(L, T, M)."""
    locations, pixels = math.prod(layer.output_size), math.prod(layer.input_size)
    if isinstance(layer, PerLocation):
        return layer.kernel.flatten(0, layer.dims - 1).flatten(3).permute(0, 3, 1, 2).flatten(2)
    if isinstance(layer, ConvNd):
        return layer.weight.flatten(2).permute(2, 0, 1).flatten(1).expand(locations, -1, -1)
    if isinstance(layer, DenseNd | GlobalConv2d):
        weight = layer.weight if isinstance(layer, DenseNd) else layer.dense_weight()
        parts = weight.reshape(layer.out_channels, locations, layer.in_channels, pixels)
        return parts.permute(1, 3, 0, 2).flatten(2)
    raise TypeError(f"{type(layer).__name__}: should be a layer of convexp.layers")


def _in_window(layer: SpatialLayer) -> Tensor:
    """(L, T, D): the same at every location."""
    lines = [
        d * torch.arange(k, dtype=torch.float64) - (extent(k, d) - 1) / 2
        for k, d in zip(layer.kernel_size, layer.dilation, strict=True)
    ]
    offsets = torch.stack(torch.meshgrid(*lines, indexing="ij"), -1).flatten(0, -2)  # (T, D)
    return offsets.expand(math.prod(layer.output_size), -1, -1)


def _to_pixels(layer: SpatialLayer) -> Tensor:
    """(L, P, D): from the middle of the window that the geometry describes to every pixel, the short way round if circular."""
    found: list[Tensor] = []
    for dim, (n, out, k, s, p, d) in enumerate(
        zip(layer.input_size, layer.output_size, layer.kernel_size, layer.stride, layer.padding, layer.dilation, strict=True)
    ):
        centre = s * torch.arange(out, dtype=torch.float64) - p + (extent(k, d) - 1) / 2
        offset = torch.arange(n, dtype=torch.float64) - centre[:, None]  # (out, n)
        if layer.padding_mode == "circular":
            offset = torch.remainder(offset + n / 2, n) - n / 2
        places = [1] * (2 * layer.dims)
        places[dim], places[layer.dims + dim] = out, n
        found.append(offset.reshape(places).expand(*layer.output_size, *layer.input_size))
    return torch.stack([line.flatten(layer.dims).flatten(0, layer.dims - 1) for line in found], -1)


def spatial_layers(network: Network) -> dict[str, SpatialLayer]:
    """The layers that have locations and taps, by name: the wirings, or what of that kind a composed one holds.

    Raises:
        NotApplicableError: if there are none.
    """
    found = find_modules(network, lambda module: isinstance(module, KINDS))
    if not found:
        raise NotApplicableError("the network has no spatial layer of convexp.layers")
    return cast(dict[str, SpatialLayer], found)
