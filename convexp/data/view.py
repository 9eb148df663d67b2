"""How images are placed on their canvas, shifted and permuted when a batch is made."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from convexp.data.canvas import permute_pixels, place, place_each, shift_images
from convexp.geometry import Size
from convexp.geometry.placement import Placement


@dataclass(frozen=True)
class View:
    """The positions and shifts of the images of a source, and the permutation of their pixels.

    Attributes:
        placement: Sizes of image, canvas and network input, and the shift protocol.
        positions: Position of the first pixel on the canvas: one for all images, or ``(N, D)`` int64 with one for each.
        shifts: Shift in pixels: one for all images, or ``(N, D)`` int64 with one for each.
        order: Which pixel of a shifted image the network sees in the place of each, ``(pixels,)`` int64; None: each its own.
    """

    placement: Placement
    positions: Size | Tensor
    shifts: Size | Tensor
    order: Tensor | None = None

    def __call__(self, images: Tensor, rows: Tensor) -> Tensor:
        """Place, shift and permute a batch.

        Args:
            images: Images, ``(B, C, *image_size)``.
            rows: Row of each image in ``positions`` and ``shifts``, ``(B,)`` int64.

        Returns:
            What the network sees, ``(B, C, *input_size)``.
        """
        canvas, positions, shifts = self.placement.canvas_size, self.positions, self.shifts
        if isinstance(positions, Tensor):
            images = place_each(images, canvas, positions[rows])
        else:
            images = place(images, canvas, positions)
        images = shift_images(
            images,
            shifts[rows] if isinstance(shifts, Tensor) else shifts,
            self.placement.protocol,
            self.placement.input_size,
        )
        return images if self.order is None else permute_pixels(images, self.order)

    def on_canvas(self) -> "View":
        """Return the view of the whole canvas, which is permuted nowhere."""
        whole = replace(self.placement, protocol="zero_fill", input_size=self.placement.canvas_size)
        return replace(self, placement=whole, order=None)

    def boxes(self, boxes: Tensor, rows: Tensor | None = None) -> Tensor:
        """Transform bounding boxes from the source's images to what the network sees.

        Args:
            boxes: First pixel of each box and the pixel after its last, ``(N, 2, D)`` int64, or -1 for an image without one.
            rows: Row of each box in ``positions`` and ``shifts``, ``(N,)`` int64; None if there is a box for each row.

        Returns:
            The boxes in the network's input, ``(N, 2, D)`` int64, with -1 for those that are not completely visible.
        """
        place = self.placement
        offset = self._of(self.positions, rows, boxes) + self._of(self.shifts, rows, boxes)  # (D,) or (N, D)
        size = torch.tensor(place.input_size, device=boxes.device)
        if place.protocol == "crop":
            offset = offset - (torch.tensor(place.canvas_size, device=boxes.device) - size) // 2
        seen = boxes + offset.reshape(-1, 1, offset.shape[-1])
        if place.protocol == "circular":
            seen = seen - seen[:, :1].div(size, rounding_mode="floor") * size
        visible = (boxes[:, 0] >= 0) & (seen[:, 0] >= 0) & (seen[:, 1] <= size)  # (N, D)
        return seen.where(visible.all(1)[:, None, None], -1)

    @staticmethod
    def _of(offsets: Size | Tensor, rows: Tensor | None, boxes: Tensor) -> Tensor:
        """The offsets of ``rows``, ``(N, D)``, or the one of all images, ``(D,)``."""
        if isinstance(offsets, Tensor):
            return offsets if rows is None else offsets[rows]
        return torch.tensor(offsets, device=boxes.device)
