"""What the layers have learned to look for."""

import math
from dataclasses import dataclass

from torch import Tensor, nn

from convexp.layers.base import NotLinearError
from convexp.probes.base import Measurement
from convexp.probes.errors import NotApplicableError
from convexp.probes.modules import picture_name
from convexp.probes.pictures import evenly_spaced, tile_grid, weight_colours
from convexp.probes.requirements import require_at_least
from convexp.probes.sample import Sample
from convexp.probes.structure.spatial_layers import find_layers


@dataclass(frozen=True)
class Kernels:
    """A picture of each stage's weights: a row per output channel, a column per location.

    Where all locations share their weights, the channels make a block instead. The mean over the input channels is shown, of
    three channels each as a colour. One scale for all tiles and all wirings: 3 times the root mean square of what is shown is
    full red (above 0) or full blue.

    Args:
        channels: Largest number of rows.
        locations: Largest number of columns, taken evenly over the map.
    """

    channels: int
    locations: int

    def __post_init__(self) -> None:
        require_at_least(self, channels=1, locations=1)

    def measure(self, network: nn.Module, sample: Sample) -> Measurement:
        """Draw what each layer returns from ``kernels()``: (O, L, C, h, w), or (O, L, C, h) in one dimension."""
        pictures: dict[str, Tensor] = {}
        found = find_layers(network, sample, lambda module: callable(getattr(module, "kernels", None)))
        for name, layer in found.layers.items():
            try:
                weights: Tensor = layer.kernels().detach().float().cpu()
            except NotLinearError as error:
                raise NotApplicableError(f"{name}: {error}") from error
            pictures[picture_name(name)] = self._picture(weights.unsqueeze(-2) if weights.dim() == 4 else weights)
        if not pictures:
            raise NotApplicableError("the network has no layers with kernels to show")
        return Measurement(numbers={}, pictures=pictures)

    def _picture(self, weights: Tensor) -> Tensor:
        rows = min(self.channels, weights.shape[0])
        columns = evenly_spaced(weights.shape[1], self.locations)
        shown = weights[:rows, columns]  # (rows, columns, C, h, w)
        if len(columns) == 1:  # a block reads better than a pole
            width = max(d for d in range(1, math.isqrt(rows) + 1) if rows % d == 0)
            shown = shown.flatten(0, 1).unflatten(0, (rows // width, width))
        return tile_grid(weight_colours(shown))
