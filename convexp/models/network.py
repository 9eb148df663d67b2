"""The network: normalised pixels, stages, readout, hidden dense layers, classes."""

import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

from torch import Tensor, nn

from convexp.geometry import Size
from convexp.geometry.skeleton import Skeleton, Stage
from convexp.models.parts import Normalize, ReadoutLayer, activation, norm, pool, scale_weights


class Wiring(Protocol):
    """Decides who is connected to whom: makes a stage's layer ``(B, in_channels, H, W) -> (B, out_channels, H', W')``."""

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
        """Make the layer; ``bias=False`` is passed only if the skeleton has no biases, else the wiring's default holds."""
        ...


class Network(nn.Module):
    """A skeleton with its wiring: maps images ``(B, C, H, W)`` with values of 0 to 255 to logits ``(B, classes)``.

    Args:
        skeleton: Everything about the network but its wiring.
        wiring: Makes the layer of every stage.
        mean: Mean of the training pixels / 255, for each channel.
        std: Standard deviation of the training pixels / 255, for each channel.
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
        scale_weights(layer, skeleton.init_scale)
        units = (stage.channels, *stage.wired_size(size))
        parts = {"wiring": layer} | norm(skeleton.norm, units) | activation(skeleton.activation) | pool(stage)
        return nn.Sequential(OrderedDict(parts))

    def _head(self, features: int) -> nn.Sequential:
        skeleton, layers = self.skeleton, OrderedDict[str, nn.Module]()
        for index, units in enumerate(skeleton.hidden):
            linear = nn.Linear(features, units, skeleton.bias)
            scale_weights(linear, skeleton.init_scale)
            parts: dict[str, nn.Module] = {"linear": linear}
            parts |= norm(skeleton.norm, (units,)) | activation(skeleton.activation)
            layers[f"hidden{index}"] = nn.Sequential(OrderedDict(parts))
            features = units
        layers["classes"] = nn.Linear(features, skeleton.classes, skeleton.bias)
        return nn.Sequential(layers)

    def forward(self, images: Tensor) -> Tensor:
        """Classify images ``(B, C, H, W)``, uint8 or float, with values of 0 to 255: logits ``(B, classes)``."""
        x = self.normalize(images)
        for stage in self.stages:
            x = stage(x)
        return self.head(self.readout(x))

    def features(self, images: Tensor) -> list[Tensor]:
        """Return the output of every stage, after norm, activation and pooling: (B, C, H', W') each."""
        found, x = [], self.normalize(images)
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found

    def representations(self, images: Tensor) -> dict[str, Tensor]:
        """Return the output of every part of the network by name, in order; the last are the logits.

        The parts are ``stages.0``, ... (B, C, H', W') with norm, activation and pooling, ``readout`` (B, F), and the parts of
        the head (B, units).
        """
        x = self.normalize(images)
        parts = [(f"stages.{i}", stage) for i, stage in enumerate(self.stages)]
        parts += [("readout", self.readout), *((f"head.{name}", part) for name, part in self.head.named_children())]
        found: dict[str, Tensor] = {}
        for name, part in parts:
            found[name] = x = part(x)
        return found

    def wired_layers(self) -> list[tuple[str, nn.Module]]:
        """Return the layer of every stage with its name in the network."""
        return [(f"stages.{i}", stage.get_submodule("wiring")) for i, stage in enumerate(self.stages)]
