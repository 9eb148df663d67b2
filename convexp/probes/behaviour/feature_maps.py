"""Pictures of the feature maps of every layer."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from convexp.data.tiles import image_tiles
from convexp.models.representations import maps
from convexp.pictures.colour_bar import Pixels, colour_bar
from convexp.pictures.sheet import Sheet, enlarge
from convexp.probes.base import Measurement
from convexp.probes.errors import NotApplicableError
from convexp.probes.modules import picture_name
from convexp.probes.pictures import as_tensor, padded
from convexp.probes.requirements import require_at_least, require_maps
from convexp.probes.sample import Sample

SIDE = 48  # Approximate size to which a tile is enlarged, in pixels.


@dataclass(frozen=True)
class FeatureMaps:
    """A picture for each feature map with a row for each test image: first the image, then the first channels of the map.

    A unit of the map ``h[n,c,i,j]`` is drawn with ``brightness = (h - min h) / (max h - min h)``, with the smallest and the
    largest value of the picture: these are black and white, so that images and channels can be compared.

    Source: Yosinski et al. 2015, arXiv 1506.06579, who draw the activations of all channels beside the image.

    Pictures:
        LAYER (activation): value of every unit, one scale for all images and channels of the picture.

    Args:
        max_images: Number of test images to show, from the first on.
        channels: Largest number of channels to show.
    """

    max_images: int
    channels: int

    def __post_init__(self) -> None:
        require_at_least(self, max_images=1, channels=1)

    def measure(self, network: nn.Module, sample: Sample) -> Measurement:
        """Draw the pictures, with one forward pass of the images that they show."""
        if len(sample.size) != 2:
            raise NotApplicableError(f"needs images of two dimensions, and these have {len(sample.size)}")
        sample = sample.first(self.max_images)
        placed = require_maps(network, sample)
        images = image_tiles(sample.shown(), max(SIDE, *sample.size))
        rows = [f"image {row} ({sample.class_name(label)})" for row, label in enumerate(sample.labels.tolist())]
        pictures: dict[str, Tensor] = {}
        for name, features in maps(network, sample.images, [*placed.maps]).items():
            shown = features[:, : self.channels].float().cpu()
            pictures[picture_name(name)] = map_sheet(images, shown, name, features.shape[1], rows)
        return Measurement(numbers={}, pictures=pictures)


def map_sheet(images: Pixels, shown: Tensor, name: str, channels: int, rows: list[str]) -> Tensor:
    """Draw feature maps ``(n, channels, h, w)`` beside their images ``(n, h', w', 3)``."""
    low, high = float(shown.min()), float(shown.max())
    grey = ((shown - low) / max(high - low, torch.finfo(shown.dtype).tiny) * 255).round().to(torch.uint8).numpy()
    tiles = enlarge(grey[..., None].repeat(3, -1), max(SIDE, *images.shape[1:3]))  # (n, channels, h, w, 3)
    size = [max(tiles.shape[axis], images.shape[axis]) for axis in (-3, -2)]
    some = "" if channels == shown.shape[1] else f"The first {shown.shape[1]} of {channels} channels. "
    sheet = Sheet(
        np.concatenate((padded(images, *size)[:, None], padded(tiles, *size)), 1),
        f"Feature maps of {name}, {' × '.join(map(str, shown.shape[2:]))}",
        f"{some}Each row: a test image with its class, and what every channel makes of it; one scale for all maps.",
        rows=rows,
        columns=["image", *map(str, range(shown.shape[1]))],
        column_title="channel of the map",
        bar=colour_bar("gray", ((0, f"{low:.2g}"), (1, f"{high:.2g}")), "value of a unit"),
    )
    return as_tensor(sheet.draw())
