"""The layer of a stage as an operation: each wiring as it stands, any other linear layer as its dense matrix."""

import copy
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from convexp.errors import one_line
from convexp.geometry import Size
from convexp.layers import Conv2d, Dense2d, GlobalConv2d, LocallyConnected2d, LowRankLocallyConnected2d, linear_map
from convexp.layers.base import SpatialLayer
from convexp.layers.convert import from_torch
from convexp.layers.windowed import WindowedLayer
from convexp.models.lowering.weights import LeftOutError, Weights, check_bytes

Fields = dict[str, Any]


def lower_wiring(layer: nn.Module, shape: Size, weights: Weights) -> tuple[Fields, Size, int]:
    """Describe the layer of a stage.

    A layer of exactly one of the classes of convexp is written as it is, and ``nn.Conv2d`` as the convolution that it is. Any
    other may compute anything: it is called, and if it is linear its matrix is written.

    Args:
        layer: The layer.
        shape: Shape of its input, (C, H, W).
        weights: Where its weights are added.

    Returns:
        The fields of its ``Layer``, the shape of its output (O, H', W'), and its multiply-adds for one image.

    Raises:
        LeftOutError: If it is not linear, or too large.
    """
    layer = _of_torch(layer, shape)
    lowered = LOWERED.get(type(layer))
    if lowered is not None and isinstance(layer, SpatialLayer):
        return *_known(layer, lowered(layer, weights)), _multiply_adds(layer)
    return _by_its_matrix(layer, shape, weights)


def _of_torch(layer: nn.Module, shape: Size) -> nn.Module:
    if type(layer) is not nn.Conv2d:
        return layer
    try:
        with torch.random.fork_rng(devices=[]):  # it draws weights before it copies these
            return from_torch(layer, shape[1:])
    except (TypeError, ValueError):  # padding of torch's that convexp does not have
        return layer


def _known(layer: SpatialLayer, fields: Fields) -> tuple[Fields, Size]:
    window = {"kernel": layer.kernel_size, "stride": layer.stride, "padding": layer.padding, "dilation": layer.dilation}
    return window | {"border": layer.padding_mode} | fields, (layer.out_channels, *layer.output_size)


def _bias(layer: SpatialLayer, weights: Weights) -> Fields:
    return {} if layer.bias is None else {"bias": weights.single(layer.bias.detach().flatten())}


def _conv(layer: Conv2d, weights: Weights) -> Fields:
    return {"op": "conv", "groups": layer.groups, "weight": weights.half(layer.weight)} | _bias(layer, weights)


def _local(layer: LocallyConnected2d, weights: Weights) -> Fields:
    return {"op": "local", "groups": layer.groups, "weight": weights.half(layer.kernel)} | _bias(layer, weights)


def _low_rank(layer: LowRankLocallyConnected2d, weights: Weights) -> Fields:
    kernels, shares = weights.half(layer.weight), weights.single(layer.mixture())
    fields = {"op": "low_rank_local", "groups": layer.groups, "weight": kernels, "combination": shares}
    return fields | _bias(layer, weights)


def _dense(layer: Dense2d, weights: Weights) -> Fields:
    output = [layer.out_channels, *layer.output_size]
    return {"op": "dense", "output": output, "weight": weights.half(layer.weight)} | _bias(layer, weights)


def _global_conv(layer: GlobalConv2d, weights: Weights) -> Fields:
    fields = {"op": "global_conv", "first": layer.first, "output": list(layer.output_size)}
    return fields | {"weight": weights.half(layer.weight)} | _bias(layer, weights)


LOWERED: dict[type[nn.Module], Callable[[Any, Weights], Fields]] = {
    Conv2d: _conv,
    LocallyConnected2d: _local,
    LowRankLocallyConnected2d: _low_rank,
    Dense2d: _dense,
    GlobalConv2d: _global_conv,
}


def _multiply_adds(layer: SpatialLayer) -> int:
    if isinstance(layer, WindowedLayer):
        shared = layer.rank if isinstance(layer, LowRankLocallyConnected2d) else 1
        return shared * layer.locations * layer.kernel_weights
    return layer.out_channels * layer.locations * layer.in_channels * layer.pixels


def _by_its_matrix(layer: nn.Module, shape: Size, weights: Weights) -> tuple[Fields, Size, int]:
    """Describe a layer of which nothing is known as a dense one."""
    name = f"{type(layer).__module__}.{type(layer).__qualname__}"
    try:
        layer = copy.deepcopy(layer).cpu().float().eval()
        with torch.no_grad():
            offset: Tensor = layer(torch.zeros(1, *shape))[0]
        output = tuple(offset.shape)
        check_bytes(len(weights.content) + 2 * math.prod(shape) * offset.numel())
        if not linear_map.is_linear(layer, shape, offset.device):
            raise LeftOutError(f"its wiring {name} is not linear, and is none that the page knows")
        columns = linear_map.unit_responses(layer, shape, torch.zeros(()))  # (C*H*W, O, H', W')
    except LeftOutError:
        raise
    except Exception as error:  # anybody's code
        raise LeftOutError(f"its wiring {name} cannot be followed ({type(error).__name__}: {one_line(error)})") from None
    if len(output) != 3:
        raise LeftOutError(f"its wiring {name} returns {len(output)} dimensions for an image, where the page knows three")
    matrix, bias = weights.half(columns.flatten(1).t()), weights.single(offset.flatten())
    window = {"kernel": (1, 1), "stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}
    fields = {"op": "dense", "output": list(output), "weight": matrix, "bias": bias}
    return window | fields, output, columns.numel()
