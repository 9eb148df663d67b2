"""Statistics of the training images that a network normalises its input with."""

from dataclasses import dataclass
from typing import Protocol


class PixelStatistics(Protocol):
    """Statistics of the training images that a network normalises its input with."""

    @property
    def mean(self) -> list[float]:
        """Mean of the pixels of each channel, on a scale from 0 to 1."""
        ...

    @property
    def std(self) -> list[float]:
        """Standard deviation of the pixels of each channel, on a scale from 0 to 1."""
        ...


@dataclass(frozen=True)
class UnitStatistics:
    """Placeholder statistics for counting, where no images are read: mean 0 and standard deviation 1 in each channel."""

    channels: int

    @property
    def mean(self) -> list[float]:
        """Mean of each channel."""
        return [0.0] * self.channels

    @property
    def std(self) -> list[float]:
        """Standard deviation of each channel."""
        return [1.0] * self.channels
