"""Norm, activation, pooling, readout and dense layers of a skeleton as operations."""

from typing import Any, cast

import torch
from torch import Tensor, nn

from convexp.geometry import Size
from convexp.models.lowering.weights import LeftOutError, Weights, on_cpu
from convexp.models.parts import ACTIVATIONS, BatchNorm2d, BatchNormUnit, LocalSignalAdaptivity, Normalize
from convexp.models.pooling import AdaptivePolyphase, Blur, DenseMax
from convexp.records.playground_format import Input

Fields = dict[str, Any]
KINDS = {kind: name for name, kind in ACTIVATIONS.items()}


def lower_input(normalize: Normalize, shape: Size) -> Input:
    """Describe the images, (C, H, W), and the normalisation of their pixels.

    Raises:
        LeftOutError: If a channel of the training images was constant.
    """
    scale, offset = (on_cpu(buffer).double().flatten() for buffer in (normalize.scale, normalize.offset))
    std = 1 / (255 * scale)
    mean = offset * std
    if not bool(torch.isfinite(torch.stack((mean, std))).all()) or bool((std <= 0).any()):
        raise LeftOutError("its normalisation of the pixels is not finite, as a channel of the training images is constant")
    return Input(*shape, mean=mean.tolist(), std=std.tolist())


def lower_norm(norm: nn.Module, weights: Weights) -> Fields:
    """Describe a batch normalisation in evaluation, ``scale x + shift`` for each channel or each unit.

    Raises:
        LeftOutError: If it is another norm.
    """
    if type(norm) not in (nn.BatchNorm1d, BatchNorm2d, BatchNormUnit):
        raise LeftOutError(f"its norm {type(norm).__name__} is none that the page knows")
    known = cast(nn.BatchNorm2d, norm)
    numbers = (known.running_mean, known.running_var, known.weight, known.bias)
    mean, var, factor, offset = (on_cpu(cast(Tensor, each)).double() for each in numbers)
    scale = factor / (var + known.eps).sqrt()
    shift = offset - mean * scale
    return {"op": "norm", "scale": weights.single(scale), "shift": weights.single(shift)}


def lower_activation(activation: nn.Module) -> Fields:
    """Describe a nonlinearity.

    Raises:
        LeftOutError: If it is none of the skeleton's.
    """
    kind = KINDS.get(type(activation))
    if kind is None:
        raise LeftOutError(f"its activation {type(activation).__name__} is none that the page knows")
    if isinstance(activation, LocalSignalAdaptivity):
        return {"op": "activation", "kind": kind, "threshold": float(activation.threshold.detach())}
    return {"op": "activation", "kind": kind}


def lower_pool(pool: nn.Module) -> list[Fields]:
    """Describe the steps of a pooling.

    Raises:
        LeftOutError: If it is none of the skeleton's.
    """
    if type(pool) is nn.Sequential:
        return [fields for step in pool for fields in lower_pool(step)]
    if isinstance(pool, nn.MaxPool2d | nn.AvgPool2d):
        size = cast(Size, pool.kernel_size)
        return [{"op": "max_pool" if isinstance(pool, nn.MaxPool2d) else "avg_pool", "kernel": size, "stride": size}]
    if isinstance(pool, DenseMax):
        return [{"op": "dense_max", "kernel": pool.window, "stride": (1, 1), "border": pool.padding_mode}]
    if isinstance(pool, Blur):
        return [{"op": "blur", "kernel": pool.taps, "stride": pool.stride, "border": pool.padding_mode}]
    if isinstance(pool, AdaptivePolyphase):
        return [{"op": "aps", "kernel": pool.stride, "stride": pool.stride}]
    raise LeftOutError(f"its pooling {type(pool).__name__} is none that the page knows")


def lower_linear(linear: nn.Linear, weights: Weights) -> Fields:
    """Describe a dense layer of the head."""
    fields: Fields = {"op": "linear", "weight": weights.half(linear.weight)}
    bias = cast(Tensor | None, linear.bias)
    return fields if bias is None else fields | {"bias": weights.single(bias)}
