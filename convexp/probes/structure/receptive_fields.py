"""Where on the image the weights of a unit lie, for all wirings alike."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from convexp.layers.base import SpatialLayer
from convexp.layers.taps import Taps
from convexp.probes.base import Measurement
from convexp.probes.errors import NotApplicableError
from convexp.probes.modules import picture_name
from convexp.probes.pictures import evenly_spaced, tile_grid, weight_colours
from convexp.probes.requirements import require_at_least
from convexp.probes.sample import Sample
from convexp.probes.structure.spatial_layers import spatial_layers


@dataclass(frozen=True)
class ReceptiveFields:
    """A picture of the first stage's weights on the image: a row per output channel, a column per location, a tile per unit.

    Every tile is as large as the image, so that a dense unit, which sees all of it, and a local or convolutional one, which
    sees its window, stand side by side in the same scale (that of ``kernels``). Source: docs/design.md, section 1,
    ``W[o,i,j,c,k,l]``.

    Args:
        channels: Largest number of rows.
        locations: Largest number of columns, taken evenly over the map.
    """

    channels: int
    locations: int

    def __post_init__(self) -> None:
        require_at_least(self, channels=1, locations=1)

    def measure(self, network: nn.Module, sample: Sample) -> Measurement:
        """Draw the weights; of the images one is used, to find sizes."""
        name, layer = next(iter(spatial_layers(network, sample).layers.items()))
        if len(layer.input_size) != 2:
            raise NotApplicableError(f"shows images of two dimensions, these have {len(layer.input_size)}")
        locations = layer.output_size[0] * layer.output_size[1]
        columns = evenly_spaced(locations, self.locations)
        taps = layer.taps()
        shown = [on_image(layer, taps, int(location))[: self.channels] for location in columns]
        return Measurement(numbers={}, pictures={picture_name(name): tile_grid(weight_colours(torch.stack(shown, 1)))})


def on_image(layer: SpatialLayer, taps: Taps, location: int) -> Tensor:
    """Return the weights of the units at one location, where their pixels are: (O, C/groups, H, W)."""
    weights, pixels, seen = taps.weights[location], taps.pixels[location], taps.seen[location]  # (T, M), (T,), (T,)
    image = weights.new_zeros(layer.pixels, weights.shape[1]).index_add(0, pixels[seen], weights[seen])  # (P, M)
    return image.T.reshape(layer.out_channels, -1, *layer.input_size).float().cpu()
