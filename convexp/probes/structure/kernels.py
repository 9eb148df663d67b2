"""What the layers have learned to look for."""

import math
from dataclasses import dataclass

from torch import Tensor, nn

from convexp.layers.base import NotLinearError
from convexp.probes.base import Measurement
from convexp.probes.errors import NotApplicableError
from convexp.probes.modules import picture_name
from convexp.probes.pictures import evenly_spaced, weight_sheet
from convexp.probes.requirements import require_at_least
from convexp.probes.sample import Sample
from convexp.probes.structure.locations import known_size, location_names
from convexp.probes.structure.spatial_layers import find_layers


@dataclass(frozen=True)
class Kernels:
    """A picture of each stage's weights: a row per output channel, a column per location.

    Where all locations share their weights, the channels make a block instead. The mean over the input channels is shown, of
    three channels each as a colour. One scale for all tiles and all wirings: ``colour = w / (3 rms)`` for a weight w, from
    -1 (full blue) to 1 (full red), with the root mean square ``rms = sqrt(mean w²)`` of what is shown and is not 0.

    Source: Krizhevsky et al. 2012, figure 3, for the kernels of a first layer; a column per location is convexp's own.

    Pictures:
        LAYER (weight): the weights, mean over the input channels; the colour bar names the weight that has the full colour.

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
            size = " × ".join(map(str, weights.shape[3:]))
            title = f"Kernels of {name} ({type(layer).__name__}), {size}{'' if weights.dim() > 4 else ' samples'}"
            pictures[picture_name(name)] = self._picture(as_image(weights), title, layer)
        if not pictures:
            raise NotApplicableError("the network has no layers with kernels to show")
        return Measurement(numbers={}, pictures=pictures)

    def _picture(self, weights: Tensor, title: str, layer: object) -> Tensor:
        channels, locations = weights.shape[:2]
        rows = min(self.channels, channels)
        columns = evenly_spaced(locations, self.locations)
        shown = weights[:rows, columns]  # (rows, columns, C, h, w)
        some = "" if rows == channels else f"The first {rows} of {channels} output channels. "
        if locations == 1:  # a block reads better than a pole
            wide = max(d for d in range(1, math.isqrt(rows) + 1) if rows % d == 0)
            starts = range(0, rows, wide)
            return weight_sheet(
                shown.flatten(0, 1).unflatten(0, (rows // wide, wide)),
                title,
                f"{some}All locations share them: a tile for each output channel.",
                rows=[f"{start}" if wide == 1 else f"{start} to {start + wide - 1}" for start in starts],
                row_title="channels",
            )
        size = known_size(layer, locations)
        some += "" if len(columns) == locations else f"{len(columns)} of {locations} locations, evenly spaced. "
        return weight_sheet(
            shown,
            title,
            f"{some}Every location has kernels of its own.",
            rows=[str(row) for row in range(rows)],
            columns=location_names(columns.tolist(), size),
            row_title="channel",
            column_title="location of the unit" + ("" if size is not None and len(size) == 1 else ": row,column"),
        )


def as_image(weights: Tensor) -> Tensor:
    """Return kernels of one dimension, (O, L, C, h), as bands (O, L, C, h // 4, h), and others as they are."""
    if weights.dim() > 4:
        return weights
    band = max(1, weights.shape[-1] // 4)
    return weights.unsqueeze(-2).expand(-1, -1, -1, band, -1)
