"""The images on which probes measure a network."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from torch import Tensor

from convexp.data.canvas import shift_images
from convexp.geometry import Size
from convexp.geometry.placement import ShiftProtocol as ShiftProtocol
from convexp.probes.errors import NotApplicableError

BATCH_SIZE = 250  # Images in one forward pass. It bounds the memory, and batches of this size stay in the cache of a CPU.


@dataclass(frozen=True)
class Sample:
    """Test images as the network sees them, with their labels. All tensors are on the network's device.

    Attributes:
        images: Images, ``(N, C, *size)`` uint8.
        labels: Labels, ``(N,)`` int64.
        canvas: The larger images over which the protocol ``crop`` moves its window, ``(N, C, *canvas_size)`` uint8, or None if
            the images fill their canvas.
        objects: Bounding box of the object in each image, ``(N, 2, D)`` int64: its first pixel, and the pixel after its last.
            All entries are -1 for an image without an object. None if the data set does not know where objects are.
    """

    images: Tensor
    labels: Tensor
    canvas: Tensor | None = None
    objects: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

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

    def first(self, n: int) -> "Sample":
        """Return the first ``n`` images, or all if there are fewer."""
        return self.rows(slice(n))

    def slices(self) -> Iterator[slice]:
        """Yield slices that cover all images in order, ``BATCH_SIZE`` images each."""
        return (slice(start, min(start + BATCH_SIZE, len(self))) for start in range(0, len(self), BATCH_SIZE))

    def batches(self) -> Iterator["Sample"]:
        """Yield all images in order, ``BATCH_SIZE`` at a time."""
        return map(self.rows, self.slices())

    def shifted(self, shift: Size | Tensor, protocol: ShiftProtocol) -> Tensor:
        """Return the images shifted by whole pixels, ``(N, C, *size)``.

        Args:
            shift: One shift for all images, or a tensor ``(N, D)`` with one for each. Positive is down and right.
            protocol: What enters the image at its border: ``zero_fill``, ``circular`` or ``crop``.

        Raises:
            NotApplicableError: If the protocol is ``crop`` and there is no canvas to crop from.
        """
        images = self.images
        if protocol == "crop":
            if self.canvas is None:
                raise NotApplicableError(
                    "protocol=crop needs a canvas larger than the images that the network sees; set data.shift.protocol=crop"
                )
            images = self.canvas
        return shift_images(images, shift, protocol, self.size)
