"""The settings of a data set on which ``convexp.data`` depends, as a protocol."""

from typing import Protocol

from convexp.geometry.placement import Placement


class DataSettings(Protocol):
    """Settings of a data set. The validated section ``data`` of a configuration (conf/data/) implements this protocol."""

    @property
    def name(self) -> str:
        """Name of the data set in messages."""
        ...

    @property
    def image_shape(self) -> list[int]:
        """Shape of an image in the source, (C, H, W) or (C, L)."""
        ...

    @property
    def classes(self) -> int:
        """Number of classes."""
        ...

    @property
    def permute_pixels(self) -> int | None:
        """Seed of the permutation of the pixels of all images, or None if they stay where they are."""
        ...

    @property
    def train_size(self) -> int | float | None:
        """Number of training samples, or their share of those that validation leaves, or None for all of these."""
        ...

    @property
    def val_size(self) -> int | float:
        """Number of validation samples, or their share of the source's training part."""
        ...

    @property
    def split_seed(self) -> int:
        """Seed of the split, of the positions on the canvas, and of the shifts that are drawn once."""
        ...

    @property
    def memory_gb(self) -> float:
        """Size in GB (10^9 bytes) up to which memory-mapped images are read into memory. Larger ones are streamed."""
        ...

    @property
    def workers(self) -> int:
        """Number of processes that stream images."""
        ...

    def placement(self) -> Placement:
        """Return how images are placed on the canvas and shifted."""
        ...
