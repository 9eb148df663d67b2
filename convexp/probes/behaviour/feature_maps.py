"""Pictures of the feature maps of every layer."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from convexp.models.representations import maps
from convexp.probes.base import Measurement
from convexp.probes.errors import NotApplicableError
from convexp.probes.modules import picture_name
from convexp.probes.pictures import stack_vertically, tile_grid
from convexp.probes.requirements import require_at_least, require_maps
from convexp.probes.sample import Sample


@dataclass(frozen=True)
class FeatureMaps:
    """A picture for each feature map with a row for each test image: first the image, then the first channels of the map.

    In each picture the smallest value is black and the largest is white, so that images and channels can be compared.

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
        originals = sample.shown().float().cpu() / 255
        grey = originals if originals.shape[1] == 3 else originals.mean(1, keepdim=True).expand(-1, 3, -1, -1)
        pictures: dict[str, Tensor] = {}
        for name, features in maps(network, sample.images, [*placed.maps]).items():
            pictures[picture_name(name)] = self._rows(grey, features[:, : self.channels].float().cpu())
        return Measurement(numbers={}, pictures=pictures)

    @staticmethod
    def _rows(images: Tensor, features: Tensor) -> Tensor:
        low, high = features.min(), features.max()
        scaled = (features - low) / (high - low).clamp(min=torch.finfo(features.dtype).tiny)
        side = max(40, *images.shape[2:])
        rows: list[Tensor] = []
        for image, channels in zip(images, scaled, strict=True):
            first = tile_grid(image[None, None], side)
            others = tile_grid(channels[None, :, None].expand(-1, -1, 3, -1, -1), side)
            height = max(first.shape[1], others.shape[1])
            parts = [torch.nn.functional.pad(p, (0, 0, 0, height - p.shape[1]), value=51) for p in (first, others)]
            rows.append(torch.cat(parts, 2))
        return stack_vertically(rows)
