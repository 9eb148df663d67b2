"""What the stages make of an image."""

from dataclasses import dataclass

import torch
from torch import Tensor

from convexp.models import Network
from convexp.probes.base import Measurement
from convexp.probes.errors import NotApplicableError
from convexp.probes.pictures import stack_vertically, tile_grid
from convexp.probes.requirements import require_at_least, require_stages
from convexp.probes.sample import Sample


@dataclass(frozen=True)
class FeatureMaps:
    """A picture for each stage: a row per test image, first the image, then the stage's first channels.

    Values are grey; the scale of a stage goes from its smallest value over all tiles, black, to the largest, white, so that the
    images and the channels of a stage can be compared.

    Args:
        max_images: rows, the first so many test images.
        channels: columns at most.
    """

    max_images: int
    channels: int

    def __post_init__(self) -> None:
        require_at_least(self, max_images=1, channels=1)

    def measure(self, network: Network, sample: Sample) -> Measurement:
        """One forward pass of the images shown."""
        if len(sample.size) != 2:
            raise NotApplicableError(f"shows images of two dimensions, these have {len(sample.size)}")
        require_stages(network)
        sample = sample.first(self.max_images)
        originals = sample.images.float().cpu() / 255
        grey = originals if originals.shape[1] == 3 else originals.mean(1, keepdim=True).expand(-1, 3, -1, -1)
        pictures: dict[str, Tensor] = {}
        for stage, features in enumerate(network.features(sample.images)):
            pictures[f"stage{stage}"] = self._rows(grey, features[:, : self.channels].float().cpu())
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
