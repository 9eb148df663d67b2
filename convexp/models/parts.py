"""The parts of a network that every wiring shares: input normalisation, norm, activation, pooling, readout."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convexp.geometry import Size
from convexp.geometry.skeleton import Activation, Norm, Readout, Stage
from convexp.models.batch_innermost import as_vectors, by_channel, by_unit, from_channels, from_units
from convexp.models.pooling import AdaptivePolyphase, AvgPool2d, Blur, DenseMax, MaxPool2d

for name in ("as_vectors", "by_channel", "by_unit", "from_channels", "from_units"):
    torch.fx.wrap(name)


class Normalize(nn.Module):
    """Normalises pixels of 0 to 255 to ``(x / 255 - mean) / std`` in each channel, and saves both with the weights.

    Args:
        mean: Mean of the training pixels / 255, for each channel.
        std: Standard deviation of the training pixels / 255, for each channel.
        dims: Number of spatial dimensions.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], dims: int) -> None:
        super().__init__()
        shape = (-1, *(1,) * dims)
        # Computed on the CPU: on its meta device torch computes by Python code that takes half a second to import.
        means, stds = torch.tensor(mean, device="cpu"), torch.tensor(std, device="cpu")
        self.register_buffer("scale", torch.tensor((1 / (255 * stds)).tolist()).reshape(shape))  # (C, 1, 1)
        self.register_buffer("offset", torch.tensor((means / stds).tolist()).reshape(shape))  # (C, 1, 1)
        self.scale: Tensor
        self.offset: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """Normalise images ``(B, C, ...)``, uint8 or float, to floats of the same shape."""
        return x * self.scale - self.offset


class BatchNorm2d(nn.BatchNorm2d):
    """``nn.BatchNorm2d``, of feature maps as they lie in memory."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise each channel over batch and locations: ``(B, C, H, W) -> (B, C, H, W)``."""
        return from_channels(super().forward(by_channel(input)), input)

    def _check_input_dim(self, input: Tensor) -> None:
        """Accept every input: ``forward`` may have put the locations into one dimension."""


class BatchNormUnit(nn.BatchNorm1d):
    """Batch normalisation with separate statistics, scale and shift for every unit: nothing is shared across space."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise each unit over the batch: ``(B, C, H, W) -> (B, C, H, W)``."""
        return from_units(super().forward(by_unit(input)), input)

    def _check_input_dim(self, input: Tensor) -> None:
        """Accept every input: ``forward`` has put the units into one dimension."""


class LocalSignalAdaptivity(nn.Module):
    """The activation ``φ_b(x) = relu(x - b) - relu(-x - b)`` with a trained threshold b, which lets signals pass and noise not.

    A layer has one threshold, which starts at 0, where φ is the identity. Source: Karp et al. 2021, Local Signal Adaptivity
    (LSA), NeurIPS; the activation of the networks of Lahoti et al. 2024, arXiv 2403.15707.
    """

    def __init__(self) -> None:
        super().__init__()
        self.threshold = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Apply φ to each number of ``x``, of any shape."""
        return F.relu(x - self.threshold) - F.relu(-x - self.threshold)


Parts = dict[str, nn.Module]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "lsa": LocalSignalAdaptivity,
}


def activation(name: Activation) -> Parts:
    """Return the nonlinearity under the name ``activation``, or nothing."""
    return {"activation": ACTIVATIONS[name]()} if name in ACTIVATIONS else {}


def norm(name: Norm, shape: Size) -> Parts:
    """Return the normalisation of activations of ``shape`` (C, H, W) or (C,) under the name ``norm``, or nothing."""
    if name == "none":
        return {}
    if name == "batch_unit":
        return {"norm": BatchNormUnit(math.prod(shape))}
    return {"norm": BatchNorm2d(shape[0]) if len(shape) == 3 else nn.BatchNorm1d(shape[0])}


def pool(stage: Stage) -> Parts:
    """Return the pooling under the name ``pool``, or nothing."""
    size: Any = stage.pool_size
    one = len(size) == 1

    def blur() -> nn.Module:
        return Blur(stage.blur_size[: len(size)], size, stage.padding_mode)

    kinds: dict[str, Callable[[], nn.Module]] = {
        "max": lambda: nn.MaxPool1d(size) if one else MaxPool2d(size),
        "avg": lambda: nn.AvgPool1d(size) if one else AvgPool2d(size),
        "blur": blur,
        "max_blur": lambda: nn.Sequential(DenseMax(size, stage.padding_mode), blur()),
        "aps": lambda: AdaptivePolyphase(size),
        "max_aps": lambda: nn.Sequential(DenseMax(size, stage.padding_mode), AdaptivePolyphase(size)),
    }
    return {"pool": kinds[stage.pool]()} if stage.pool in kinds else {}


class ReadoutLayer(nn.Module):
    """Turns a feature map into a vector: all of it (``flatten``), or the mean or maximum of each channel."""

    def __init__(self, kind: Readout) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        """Read the map: ``(B, C, H, W) -> (B, C*H*W)`` for ``flatten``, ``(B, C)`` for ``global_avg`` and ``global_max``."""
        if self.kind == "flatten":
            return as_vectors(x)
        x = x.flatten(2)  # (B, C, H*W)
        return x.mean(2) if self.kind == "global_avg" else x.amax(2)

    def extra_repr(self) -> str:
        """Return the kind of readout."""
        return self.kind


@torch.no_grad()
def scale_weights(layer: nn.Module, factor: float) -> None:
    """Multiply the weights of a layer by ``factor``: its ``weight``, or if it has none, all its parameters but its ``bias``.

    The kernels of a low-rank layer are mixtures of its ``weight``, and follow it.
    """
    parameters = dict(layer.named_parameters(recurse=False))
    for name, parameter in layer.named_parameters():
        if name == "weight" or ("weight" not in parameters and name != "bias"):
            parameter.mul_(factor)
