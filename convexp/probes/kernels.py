"""What the first layer has learned to look for."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from convexp.models import Network
from convexp.probes.base import Measurement, NotApplicableError, at_least
from convexp.probes.pictures import tiles


@dataclass(frozen=True)
class Kernels:
    """A picture of the first stage's weights: a row per output channel, a column per location.

    Where all locations share their weights, the channels make a block instead.

    The same scale for all tiles: the largest weight is full red or full blue (RGB images: weights as colours around grey).

    Args:
        channels: rows at most.
        locations: columns at most, taken evenly over the map.
    """

    channels: int
    locations: int

    def __post_init__(self) -> None:
        at_least(self, channels=1, locations=1)

    def measure(self, network: Network, images: Tensor, labels: Tensor) -> Measurement:
        """Needs the weights alone; a layer shows them by ``kernels() -> (O, L, C, h, w)``."""
        layers = network.wired_layers()
        kernels = getattr(layers[0][1], "kernels", None) if layers else None
        if kernels is None:
            raise NotApplicableError("the network has no first layer with kernels to show")
        weights: Tensor = kernels().detach().float().cpu()  # (O, L, C, h, w)
        rows = min(self.channels, weights.shape[0])
        columns = torch.linspace(0, weights.shape[1] - 1, min(self.locations, weights.shape[1])).round().long()
        shown = weights[:rows, columns]  # (rows, columns, C, h, w)
        if len(columns) == 1:  # a block reads better than a pole
            width = max(d for d in range(1, math.isqrt(rows) + 1) if rows % d == 0)
            shown = shown.flatten(0, 1).unflatten(0, (rows // width, width))
        return Measurement(numbers={}, pictures={"stage0": tiles(shown)})
