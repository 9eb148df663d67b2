"""The network: normalised pixels, stages, readout, hidden dense layers, classes."""

import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from convexp.geometry import Size
from convexp.geometry.skeleton import Activation, Norm, Readout, Skeleton, Stage


class Wiring(Protocol):
    """Who is connected to whom: makes the layer ``(B, in_channels, H, W) -> (B, out_channels, H', W')`` of a stage."""

    def __call__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        input_size: Size,
        stride: Size,
        padding: Size,
        dilation: Size,
        padding_mode: str,
        **bias: bool,
    ) -> nn.Module:
        """``bias=False`` comes only where the skeleton has none; otherwise the wiring's own default stands."""
        ...


class Normalize(nn.Module):
    """Pixels 0..255 to ``(x / 255 - mean) / std`` by channel, the training images' statistics; kept with the weights."""

    def __init__(self, mean: Sequence[float], std: Sequence[float], dims: int) -> None:
        super().__init__()
        shape = (-1, *(1,) * dims)
        self.register_buffer("scale", (1 / (255 * torch.tensor(std))).reshape(shape))  # (C, 1, 1)
        self.register_buffer("offset", (torch.tensor(mean) / torch.tensor(std)).reshape(shape))  # (C, 1, 1)
        self.scale: Tensor
        self.offset: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """Any shape ``(B, C, ...)``, uint8 or float, to floats of the same shape."""
        return x * self.scale - self.offset


class BatchNormUnit(nn.BatchNorm1d):
    """Batch norm with statistics, scale and shift of its own for every unit: nothing is shared across space."""

    def forward(self, input: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, C, H, W)``."""
        return super().forward(input.flatten(1)).reshape(input.shape)

    def _check_input_dim(self, input: Tensor) -> None:
        """There is nothing to check: units are in one dimension here."""


Parts = dict[str, nn.Module]


def activation(name: Activation) -> Parts:
    """The nonlinearity, or nothing."""
    kinds = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}
    return {"activation": kinds[name]()} if name in kinds else {}


def norm(name: Norm, shape: Size) -> Parts:
    """Normalisation of activations of ``shape`` (C, H, W), or nothing."""
    if name == "none":
        return {}
    if name == "batch_unit":
        return {"norm": BatchNormUnit(math.prod(shape))}
    return {"norm": nn.BatchNorm2d(shape[0]) if len(shape) == 3 else nn.BatchNorm1d(shape[0])}


def pool(stage: Stage) -> Parts:
    """Pooling over windows that do not overlap, or nothing."""
    if stage.pool == "none":
        return {}
    size: Any = stage.pool_size
    one = len(stage.pool_size) == 1
    if stage.pool == "max":
        return {"pool": nn.MaxPool1d(size) if one else nn.MaxPool2d(size)}
    return {"pool": nn.AvgPool1d(size) if one else nn.AvgPool2d(size)}


class ReadoutLayer(nn.Module):
    """From a feature map to a vector: all of it (flatten), or the mean or maximum of each channel."""

    def __init__(self, kind: Readout) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W) -> (B, C*H*W)`` for flatten, ``(B, C)`` for global_avg and global_max."""
        x = x.flatten(2)  # (B, C, H*W)
        if self.kind == "flatten":
            return x.flatten(1)
        return x.mean(2) if self.kind == "global_avg" else x.amax(2)

    def extra_repr(self) -> str:
        """The kind."""
        return self.kind


class Network(nn.Module):
    """A skeleton wired: images ``(B, C, H, W)`` with values 0..255 to logits ``(B, classes)``.

    Args:
        skeleton: everything but the connections.
        wiring: makes the layer of every stage.
        mean: of the training pixels / 255, by channel.
        std: likewise.
    """

    def __init__(self, skeleton: Skeleton, wiring: Wiring, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.skeleton = skeleton
        sizes = skeleton.sizes()
        self.normalize = Normalize(mean, std, len(sizes[0]))
        channels = skeleton.input_shape[0]
        self.stages = nn.ModuleList()
        for stage, size in zip(skeleton.stages, sizes, strict=False):
            self.stages.append(self._stage(stage, channels, size, wiring))
            channels = stage.channels
        self.readout = ReadoutLayer(skeleton.readout)
        self.head = self._head(channels * math.prod(sizes[-1]) if skeleton.readout == "flatten" else channels)

    def _stage(self, stage: Stage, channels: int, size: Size, wiring: Wiring) -> nn.Sequential:
        skeleton = self.skeleton
        layer = wiring(
            in_channels=channels,
            out_channels=stage.channels,
            kernel_size=stage.kernel_size,
            input_size=size,
            stride=stage.stride,
            padding=stage.padding,
            dilation=stage.dilation,
            padding_mode=stage.padding_mode,
            **({} if skeleton.bias else {"bias": False}),
        )
        units = (stage.channels, *stage.wired_size(size))
        parts = {"wiring": layer} | norm(skeleton.norm, units) | activation(skeleton.activation) | pool(stage)
        return nn.Sequential(OrderedDict(parts))

    def _head(self, features: int) -> nn.Sequential:
        skeleton, layers = self.skeleton, OrderedDict[str, nn.Module]()
        for index, units in enumerate(skeleton.hidden):
            parts = {"linear": nn.Linear(features, units, skeleton.bias)}
            parts |= norm(skeleton.norm, (units,)) | activation(skeleton.activation)
            layers[f"hidden{index}"] = nn.Sequential(OrderedDict(parts))
            features = units
        layers["classes"] = nn.Linear(features, skeleton.classes, skeleton.bias)
        return nn.Sequential(layers)

    def forward(self, images: Tensor) -> Tensor:
        """Images ``(B, C, H, W)``, uint8 or float, 0..255, to logits ``(B, classes)``."""
        x = self.normalize(images)
        for stage in self.stages:
            x = stage(x)
        return self.head(self.readout(x))

    def features(self, images: Tensor) -> list[Tensor]:
        """The output of every stage, norm, activation and pooling included: (B, C, H', W') each."""
        found, x = [], self.normalize(images)
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found

    def representations(self, images: Tensor) -> dict[str, Tensor]:
        """What every part of the network makes of the images, in order, the last of them the logits.

        ``stages.0``, ... (B, C, H', W') with norm, activation and pooling; ``readout`` (B, F); the parts of the head (B,
        units).
        """
        x = self.normalize(images)
        parts = [(f"stages.{i}", stage) for i, stage in enumerate(self.stages)]
        parts += [("readout", self.readout), *((f"head.{name}", part) for name, part in self.head.named_children())]
        found: dict[str, Tensor] = {}
        for name, part in parts:
            found[name] = x = part(x)
        return found

    def wired_layers(self) -> list[tuple[str, nn.Module]]:
        """The layer of every stage, with its name."""
        return [(f"stages.{i}", stage.get_submodule("wiring")) for i, stage in enumerate(self.stages)]
