"""The images on which probes measure a network."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from convexp.data.canvas import permute_pixels, shift_images
from convexp.data.hierarchy import Hierarchy
from convexp.geometry import Size
from convexp.geometry.placement import ShiftProtocol as ShiftProtocol
from convexp.probes.errors import NotApplicableError

BATCH_SIZE = 250  # Images in one forward pass. It bounds the memory, and batches of this size stay in the cache of a CPU.


@dataclass(frozen=True)
class Sample:
    """Test images as the network sees them, with their labels. All tensors are on the network's device.

    Attributes:
        images: Images, ``(N, C, *size)``, as the network takes them; uint8 in a run.
        labels: Labels, ``(N,)`` int64.
        canvas: The larger images over which the protocol ``crop`` moves its window, ``(N, C, *canvas_size)`` uint8, or None if
            the images fill their canvas.
        objects: Bounding box of the object in each image, ``(N, 2, D)`` int64: its first pixel, and the pixel after its last.
            All entries are -1 for an image without an object. None if the data set does not know where objects are.
        background: What the protocol ``zero_fill`` fills in, ``(1, C, 1, ...)`` of the images' type, or None for 0. In images
            that are normalised already black is not 0.
        batch_size: Number of images in one forward pass.
        scores: Whether the network's outputs are scores of the classes. Probes with ``needs_scores = True`` compare them with
            the labels, and are skipped otherwise.
        class_names: Name of each class, or None if they have none but their numbers.
        hierarchy: The rules by which the data set made its images, or None if there are none.
        order: Which pixel of an image that is not permuted yet lies in the place of each, ``(pixels,)`` int64, or None if each
            lies in its own. Images are shifted as they were before (``data.permute_pixels``). The canvas is not permuted.
    """

    images: Tensor
    labels: Tensor
    canvas: Tensor | None = None
    objects: Tensor | None = None
    background: Tensor | None = None
    batch_size: int = BATCH_SIZE
    scores: bool = True
    class_names: tuple[str, ...] | None = None
    hierarchy: Hierarchy | None = None
    order: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def class_name(self, label: int) -> str:
        """The name of a class; its number if it has none."""
        names = self.class_names or ()
        return names[label] if label < len(names) else str(label)

    @property
    def size(self) -> Size:
        """Size of the images per dimension, in pixels."""
        return tuple(self.images.shape[2:])

    def rows(self, rows: slice | Tensor) -> "Sample":
        """Return the images selected by ``rows``, a slice or an index tensor ``(n,)``, with everything known of them."""
        return replace(
            self,
            images=self.images[rows],
            labels=self.labels[rows],
            canvas=None if self.canvas is None else self.canvas[rows],
            objects=None if self.objects is None else self.objects[rows],
        )

    def to(self, device: torch.device) -> "Sample":
        """Return the sample with all its tensors on ``device``."""
        return replace(
            self,
            images=self.images.to(device),
            labels=self.labels.to(device),
            canvas=None if self.canvas is None else self.canvas.to(device),
            objects=None if self.objects is None else self.objects.to(device),
            background=None if self.background is None else self.background.to(device),
            order=None if self.order is None else self.order.to(device),
        )

    def first(self, n: int) -> "Sample":
        """Return the first ``n`` images, or all if there are fewer."""
        return self.rows(slice(n))

    def slices(self) -> Iterator[slice]:
        """Yield slices that cover all images in order, ``batch_size`` images each."""
        step = self.batch_size
        return (slice(start, min(start + step, len(self))) for start in range(0, len(self), step))

    def batches(self) -> Iterator["Sample"]:
        """Yield all images in order, ``batch_size`` at a time."""
        return map(self.rows, self.slices())

    def shifted(self, shift: Size | Tensor, protocol: ShiftProtocol) -> Tensor:
        """Return the images shifted by whole pixels, ``(N, C, *size)``, and permuted then if these are.

        Args:
            shift: One shift for all images, or a tensor ``(N, D)`` with one for each. Positive is down and right.
            protocol: What enters the image at its border: ``zero_fill``, ``circular`` or ``crop``.

        Raises:
            NotApplicableError: If the protocol is ``crop`` and there is no canvas to crop from.
        """
        images = self._unpermuted()
        if protocol == "crop":
            if self.canvas is None:
                raise NotApplicableError(
                    "protocol=crop needs a canvas larger than the images that the network sees; set data.shift.protocol=crop"
                )
            images = self.canvas
        shifted = shift_images(images, shift, protocol, self.size)
        if protocol == "zero_fill" and self.background is not None:
            seen = shift_images(torch.ones_like(images[:, :1], dtype=torch.bool), shift, protocol, self.size)
            shifted = shifted.where(seen, self.background)
        return shifted if self.order is None else permute_pixels(shifted, self.order)

    def _unpermuted(self) -> Tensor:
        """The images as they were before their pixels were permuted."""
        return self.images if self.order is None else permute_pixels(self.images, self.order.argsort())

    def blank(self) -> Tensor:
        """Return images without content, ``(N, C, *size)``: black, or of the background."""
        black = torch.zeros_like(self.images)
        return black if self.background is None else black + self.background

    def permuted(self, seed: int) -> "Sample":
        """Return the images with their pixels permuted, all channels of all images by one permutation, drawn from ``seed``."""
        canvas = None if self.canvas is None else _permuted(self.canvas, seed)
        return replace(self, images=_permuted(self.images, seed), canvas=canvas, objects=None)

    def brightness(self) -> Tensor:
        """Return the images, not permuted, as values that are 0 where there is nothing: the distance from the background."""
        images = self._unpermuted()
        if images.dtype == torch.uint8 and self.background is None:
            return images
        background = 0.0 if self.background is None else self.background.float()
        return (images.float() - background).abs()

    def shown(self) -> Tensor:
        """Return the images for a picture, uint8 from 0 to 255; others than uint8 are scaled from their lowest value to their
        highest.
        """
        if self.images.dtype == torch.uint8:
            return self.images
        images = self.images.float()
        low, high = images.min(), images.max()
        return ((images - low) / (high - low).clamp(min=torch.finfo(images.dtype).tiny) * 255).round().to(torch.uint8)


def _permuted(images: Tensor, seed: int) -> Tensor:
    order = torch.randperm(math.prod(images.shape[2:]), generator=torch.Generator().manual_seed(seed))
    return permute_pixels(images, order.to(images.device))
