"""What a layer costs, in closed form: parameters, FLOPs and bytes (docs/design.md, section 1).

A multiply-add counts as two FLOPs; adding a bias counts nothing, as in ``torch.utils.flop_counter``, which counts the same, but
a grouped convolution's weight gradient as if all its channels met: G times too much.
C inputs and O outputs, P = H*W pixels, L = H'*W' locations, T = k1*k2 taps, G groups, R the rank.
"""

import math
from dataclasses import dataclass

from torch import nn

from convexp.layers.base import SpatialLayer, count
from convexp.layers.conv import ConvNd
from convexp.layers.dense import DenseNd
from convexp.layers.flops import fourier_flops, transform_flops
from convexp.layers.global_conv import GlobalConv2d
from convexp.layers.local import LocallyConnectedNd, PerLocation
from convexp.layers.low_rank import LowRankLocallyConnectedNd


@dataclass(frozen=True)
class Cost:
    """Of one layer and a batch of B. Each pass reads or writes parameters, input and output at least once.

    Attributes:
        weights: numbers, without biases.
        biases: numbers.
        forward_flops: of the forward pass.
        backward_flops: of the gradients in input and weights; None where torch's way of the Fourier transform decides.
        parameter_bytes: as they are kept.
        input_bytes: of a batch.
        output_bytes: of a batch.
    """

    weights: int
    biases: int
    forward_flops: int
    backward_flops: int | None
    parameter_bytes: int
    input_bytes: int
    output_bytes: int


def cost(layer: nn.Module, batch: int = 1) -> Cost:
    """The cost of ``layer`` for ``batch`` images.

    | layer | weights | forward FLOPs |
    | --- | --- | --- |
    | dense | C P O L | 2 B C P O L |
    | local | L O C/G T | 2 B L O C/G T |
    | low-rank | R O C/G T + R L | 2 B L O C/G T + 2 R L O C/G T |
    | conv | O C/G T | 2 B L O C/G T |
    | global_conv | O C (2H-1) (2W-1), circular O C P | 2 B C P O L, or by transforms (``fourier_flops``) |

    Raises:
        TypeError, ValueError: for a layer of another kind, and for a batch that is no number of images.
    """
    if not isinstance(layer, SpatialLayer):
        raise TypeError(f"{type(layer).__name__}: should be a layer of convexp.layers")
    batch = count("batch", batch, least=0)
    weights, forward, backward = _numbers(layer, batch)
    biases = 0 if layer.bias is None else _biases(layer)
    size = layer.weight.element_size()
    return Cost(
        weights=weights,
        biases=biases,
        forward_flops=forward,
        backward_flops=backward,
        parameter_bytes=size * (weights + biases),
        input_bytes=size * batch * layer.in_channels * math.prod(layer.input_size),
        output_bytes=size * batch * layer.out_channels * math.prod(layer.output_size),
    )


def _biases(layer: SpatialLayer) -> int:
    each = isinstance(layer, DenseNd) or (isinstance(layer, PerLocation) and layer.bias_kind == "location")
    return layer.out_channels * (math.prod(layer.output_size) if each else 1)


def _numbers(layer: SpatialLayer, batch: int) -> tuple[int, int, int | None]:
    """Weights, forward and backward FLOPs; a product's two gradients are two products of the same size."""
    locations, pixels = math.prod(layer.output_size), math.prod(layer.input_size)
    kernel = layer.out_channels * (layer.in_channels // layer.groups) * math.prod(layer.kernel_size)
    pairs = layer.in_channels * layer.out_channels
    windows, everything = 2 * batch * locations * kernel, 2 * batch * pairs * pixels * locations
    if isinstance(layer, ConvNd):
        return kernel, windows, 2 * windows
    if isinstance(layer, LocallyConnectedNd):
        return locations * kernel, windows, 2 * windows
    if isinstance(layer, LowRankLocallyConnectedNd):
        flops = windows + 2 * layer.rank * locations * kernel
        return layer.rank * (kernel + locations), flops, 2 * flops
    if isinstance(layer, DenseNd):
        return pairs * pixels * locations, everything, 2 * everything
    if isinstance(layer, GlobalConv2d):
        weights = pairs * (pixels if layer.padding_mode == "circular" else math.prod(2 * n - 1 for n in layer.input_size))
        if not layer.by_fourier:
            return weights, everything, 2 * everything
        kernels = pairs * transform_flops(layer.fourier_size)
        return weights, batch * fourier_flops(layer.in_channels, layer.out_channels, layer.fourier_size) + kernels, None
    raise TypeError(f"{type(layer).__name__}: should be a layer of convexp.layers")
