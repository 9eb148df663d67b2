"""Where on the image the weights of a unit lie, for all wirings alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from convexp.layers.base import SpatialLayer
from convexp.layers.taps import Taps
from convexp.layers.windowed import WindowedLayer
from convexp.pictures.colour_bar import Pixels
from convexp.pictures.sheet import enlarge
from convexp.probes.base import Measurement
from convexp.probes.errors import NotApplicableError
from convexp.probes.modules import picture_name
from convexp.probes.pictures import SIDE, evenly_spaced, weight_sheet
from convexp.probes.requirements import require_at_least
from convexp.probes.sample import Sample
from convexp.probes.structure.locations import location_names
from convexp.probes.structure.spatial_layers import spatial_layers

DRAWN_WINDOWS = "Every unit sees a window; the first row shows where it lies on the image. Grey is outside the image."
WINDOW, REST = (60, 90, 140), (226, 229, 233)  # colours of the pixels that a unit sees, and of the others


@dataclass(frozen=True)
class ReceptiveFields:
    """A picture of the first stage's weights where they lie on the image: a row per output channel, a column per location.

    A unit that sees a window is drawn as its window, grey where that leaves the image, and the first row shows where the window
    lies. A dense unit is drawn as the whole image. Pixel (k, l) of a tile shows the mean over the input channels,
    ``w = mean_c W[o,i,j,c,k,l]``, with ``colour = w / (3 rms)`` as in the probe ``kernels``.

    Source: docs/design.md, section 1, where W is defined.

    Pictures:
        LAYER (weight): the weights of units at some locations; the colour bar names the weight that has the full colour.

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
        columns: list[int] = evenly_spaced(layer.locations, self.locations).tolist()
        taps, windowed = layer.taps(), isinstance(layer, WindowedLayer)
        weights_at = in_window if windowed else on_image
        shown = torch.stack([weights_at(layer, taps, place)[: self.channels] for place in columns], 1)
        rows = [str(row) for row in range(len(shown))]
        picture = weight_sheet(
            shown,
            f"Receptive fields of {name} ({type(layer).__name__})",
            f"{_some(len(shown), layer.out_channels, 'output channels')}{_some(len(columns), layer.locations, 'locations')}"
            + (DRAWN_WINDOWS if windowed else "Every unit sees the whole image, which is drawn for each."),
            first_row=window_tiles(layer, taps, columns) if windowed else None,
            rows=["window", *rows] if windowed else rows,
            columns=location_names(columns, layer.output_size),
            row_title="channel",
            column_title="location of the unit: row,column",
        )
        return Measurement(numbers={}, pictures={picture_name(name): picture})


def _some(shown: int, every: int, noun: str) -> str:
    return "" if shown == every else f"{shown} of {every} {noun}. "


def window_tiles(layer: SpatialLayer, taps: Taps, locations: Sequence[int]) -> Pixels:
    """Draw for each location which pixels of the image its units see, ``(n, h, w, 3)``."""
    tiles = np.full((len(locations), layer.pixels, 3), REST, np.uint8)
    for tile, location in zip(tiles, locations, strict=True):
        tile[taps.pixels[location][taps.seen[location]].cpu().numpy()] = WINDOW
    return enlarge(tiles.reshape(len(locations), *layer.input_size, 3), SIDE)


def in_window(layer: SpatialLayer, taps: Taps, location: int) -> Tensor:
    """Return the weights of the units at one location by tap of their window, NaN outside the image: (O, C/groups, k1, k2)."""
    weights = taps.weights[location].masked_fill(~taps.seen[location][:, None], float("nan"))  # (T, M)
    return weights.T.reshape(layer.out_channels, -1, *layer.kernel_size).float().cpu()


def on_image(layer: SpatialLayer, taps: Taps, location: int) -> Tensor:
    """Return the weights of the units at one location, where their pixels are: (O, C/groups, H, W)."""
    weights, pixels, seen = taps.weights[location], taps.pixels[location], taps.seen[location]  # (T, M), (T,), (T,)
    image = weights.new_zeros(layer.pixels, weights.shape[1]).index_add(0, pixels[seen], weights[seen])  # (P, M)
    return image.T.reshape(layer.out_channels, -1, *layer.input_size).float().cpu()
