"""What the networks of a skeleton have beside their wiring, for several networks at once: images (R, C, H, W, B)."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from convexp.models.parts import ACTIVATIONS, BatchNorm2d, BatchNormUnit, LocalSignalAdaptivity, ReadoutLayer
from convexp.models.pooling import AdaptivePolyphase, AvgPool2d, Blur, DenseMax, MaxPool2d
from convexp.replicas.layers import Stacked, Tensors


def normalize(_module: nn.Module, own: Tensors, images: Tensor) -> Tensor:
    """``convexp.models.parts.Normalize``: images (R, B, C, H, W) of any type -> (R, C, H, W, B)."""
    scale, offset = _of(own, "scale"), _of(own, "offset")  # (R, C, 1, 1)
    return images.movedim(1, -1) * scale.unsqueeze(-1) - offset.unsqueeze(-1)


def batch_norm(module: Any, own: Tensors, x: Tensor) -> Tensor:
    """Batch normalisation, with each network's own statistics, which are updated in place: of (R, C, ..., B) each channel."""
    counted, weight, bias = own.get("num_batches_tracked"), own.get("weight"), own.get("bias")
    if counted is not None:
        counted.add_(1)
    running_mean, running_var = _of(own, "running_mean").view(-1), _of(own, "running_var").view(-1)
    scale, shift = (None if each is None else each.reshape(-1) for each in (weight, bias))
    channels = x.reshape(1, running_mean.numel(), -1)  # the channels of all networks side by side; the statistics are theirs
    return F.batch_norm(channels, running_mean, running_var, scale, shift, True, module.momentum, module.eps).view(x.shape)


def signal_adaptivity(_module: nn.Module, own: Tensors, x: Tensor) -> Tensor:
    """``LocalSignalAdaptivity``, with each network's threshold."""
    threshold = _of(own, "threshold").view(-1, *(1,) * (x.dim() - 1))
    return F.relu(x - threshold) - F.relu(-x - threshold)


def elementwise(module: nn.Module, _own: Tensors, x: Tensor) -> Tensor:
    """A function of each number; not in place, as ``x`` is a view, whose gradient autograd would copy then."""
    return module(x)


def by_image(module: nn.Module, _own: Tensors, x: Tensor) -> Tensor:
    """A module without parameters that treats each image by itself, on the images of all networks."""
    images = x.movedim(-1, 1).flatten(0, 1)  # (R*B, C, H, W)
    return module(images).unflatten(0, (x.shape[0], x.shape[-1])).movedim(1, -1)


def pool(module: nn.Module, _own: Tensors, x: Tensor) -> Tensor:
    """Pooling of each channel by itself: the batch takes the place of the channels, which lie innermost."""
    maps = x.flatten(0, 1).movedim(-1, 1)  # (R*C, B, H, W), channels-last in memory
    return module(maps).movedim(1, -1).unflatten(0, x.shape[:2])


def readout(module: ReadoutLayer, _own: Tensors, x: Tensor) -> Tensor:
    """The readout: (R, C, H, W, B) -> (R, F, B)."""
    x = x.flatten(2, -2)  # (R, C, H*W, B)
    if module.kind == "flatten":
        return x.flatten(1, 2)
    return x.mean(2) if module.kind == "global_avg" else x.amax(2)


def _of(own: Tensors, name: str) -> Tensor:
    value = own[name]
    assert value is not None
    return value


def _own_kinds() -> dict[type, Stacked]:
    kinds: dict[type, Stacked] = {kind: elementwise for kind in ACTIVATIONS.values() if isinstance(kind, type)}
    return kinds | {LocalSignalAdaptivity: signal_adaptivity}


KINDS: dict[type, Callable[[Any, Tensors, Tensor], Tensor]] = {
    **_own_kinds(),
    nn.BatchNorm1d: batch_norm,
    BatchNorm2d: batch_norm,
    BatchNormUnit: batch_norm,
    ReadoutLayer: readout,
    MaxPool2d: pool,
    AvgPool2d: pool,
    nn.MaxPool1d: by_image,
    nn.AvgPool1d: by_image,
    Blur: by_image,
    DenseMax: by_image,
    AdaptivePolyphase: by_image,
}
