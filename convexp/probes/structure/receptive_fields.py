"""Where on the image the weights of a unit lie, for all wirings alike."""

from dataclasses import dataclass

import torch
from torch import Tensor

from convexp.layers.base import SpatialLayer
from convexp.layers.convert import seen_pixels
from convexp.layers.dense import DenseNd
from convexp.layers.global_conv import GlobalConv2d
from convexp.models import Network
from convexp.probes.base import Measurement
from convexp.probes.errors import NotApplicableError
from convexp.probes.modules import picture_name
from convexp.probes.pictures import tile_grid, weight_colours
from convexp.probes.requirements import require_at_least
from convexp.probes.sample import Sample
from convexp.probes.structure.taps import Taps, spatial_layers, taps


@dataclass(frozen=True)
class ReceptiveFields:
    """A picture of the first stage's weights on the image: a row per output channel, a column per location, a tile per unit.

    Every tile is as large as the image, so that a dense unit, which sees all of it, and a local or convolutional one, which
    sees its window, stand side by side in the same scale (that of ``kernels``). Source: docs/design.md, section 1,
    ``W[o,i,j,c,k,l]``.

    Args:
        channels: rows at most.
        locations: columns at most, taken evenly over the map.
    """

    channels: int
    locations: int

    def __post_init__(self) -> None:
        require_at_least(self, channels=1, locations=1)

    def measure(self, network: Network, sample: Sample) -> Measurement:
        """Needs the weights alone."""
        name, layer = next(iter(spatial_layers(network).items()))
        if len(layer.input_size) != 2:
            raise NotApplicableError(f"shows images of two dimensions, these have {len(layer.input_size)}")
        locations = layer.output_size[0] * layer.output_size[1]
        columns = torch.linspace(0, locations - 1, min(self.locations, locations)).round().long()
        found = taps(layer)
        shown = [on_image(layer, found, int(location))[: self.channels] for location in columns]
        return Measurement(numbers={}, pictures={picture_name(name): tile_grid(weight_colours(torch.stack(shown, 1)))})


def on_image(layer: SpatialLayer, found: Taps, location: int) -> Tensor:
    """The weights of the units at one location, where their pixels are: (O, C/groups, H, W)."""
    weights = found.weights[location]  # (T, M)
    if not isinstance(layer, DenseNd | GlobalConv2d):
        pixels = seen_pixels(layer)[location].to(weights.device)
        image = weights.new_zeros(layer.input_size[0] * layer.input_size[1], weights.shape[1])
        weights = image.index_add(0, pixels[pixels >= 0], weights[pixels >= 0])
    return weights.T.reshape(layer.out_channels, -1, *layer.input_size).float().cpu()
