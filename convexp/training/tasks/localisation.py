"""Localisation: where is the object in the image? Its centre is regressed, or found as the peak of a heat map."""

import math
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convexp.training.tasks.task import MakeOptimizer, MakeScheduler, Task, TaskBatch


class Localisation(Task):
    """Trains a network to find the centre ``c`` of the object in each image. Images without one, or with a part of one, are
    left out.

    With ``kind="regression"`` the D outputs ``o`` are the centre on a scale from -1 to 1 over the image, so that
    ``c = (o + 1) size / 2``. The loss is the squared distance on this scale, the mean over the images.

    With ``kind="heat_map"`` the outputs are the logits of a ``g x ... x g`` division of the image into cells. The target
    distribution lies on the (up to ``2^D``) cells around the object, each with the share of a linear interpolation, so that
    its mean is the centre. The loss is the cross entropy in nats. The predicted centre is the mean over the cell with the
    largest logit and its neighbours, weighted by their probabilities.

    It logs ``loss``; ``distance``, the mean distance of the predicted centre from ``c`` in pixels; and ``within``, the share of
    the images in which it is at most ``radius``. The training logs the loss only.

    Args:
        network: Network from images ``(B, C, H, W)``, 0 to 255, to outputs ``(B, D)`` or ``(B, g^D)``.
        make_optimizer: Makes the optimizer from the network's parameters; None for a module that is only evaluated.
        make_scheduler: Makes the learning-rate schedule from the optimizer and ``total_steps``; None for a constant rate.
        kind: What the outputs are: regression (the centre) or heat_map (logits of cells).
        radius: Distance in pixels up to which the object counts as found.
    """

    metrics: ClassVar[tuple[str, ...]] = ("loss", "distance", "within")
    targets = "objects"

    def __init__(
        self,
        network: nn.Module,
        make_optimizer: MakeOptimizer | None = None,
        make_scheduler: MakeScheduler | None = None,
        kind: Literal["regression", "heat_map"] = "regression",
        radius: float = 2.0,
    ) -> None:
        super().__init__(network, make_optimizer, make_scheduler)
        self.kind = kind
        self.radius = radius

    def count(self, batch: TaskBatch) -> Tensor:
        """Return the number of images with an object."""
        return visible(batch[1]).sum()

    def loss(self, outputs: Tensor, batch: TaskBatch) -> Tensor:
        """Return the mean loss of the images with an object; 0 if there is none."""
        seen = visible(batch[1])
        return (self.losses(outputs, batch) * seen).sum() / seen.sum().clamp(1)

    def losses(self, outputs: Tensor, batch: TaskBatch) -> Tensor:
        """Return the loss of each image, ``(B,)``, which has no meaning where no object is visible."""
        size = _size(batch[0])
        at = centres(batch[1], outputs.dtype) / size  # (B, D), from 0 to 1
        if self.kind == "regression":
            return (outputs - (2 * at - 1)).square().sum(1)
        return F.cross_entropy(outputs, cell_shares(at, outputs.shape[1]), reduction="none")

    def measure(self, outputs: Tensor, batch: TaskBatch) -> dict[str, Tensor]:
        """Return the losses, the distances in pixels and whether they are within ``radius``, of the images with an object."""
        outputs, seen = outputs.float(), visible(batch[1])
        found = self.centre(outputs, batch[0])
        distance = (found - centres(batch[1], outputs.dtype)).norm(dim=1)
        values = {"loss": self.losses(outputs, batch), "distance": distance, "within": distance <= self.radius}
        return {name: each[seen] for name, each in values.items()}

    def centre(self, outputs: Tensor, images: Tensor) -> Tensor:
        """Return the centres that the outputs say, in pixels from the corner of the first one, ``(B, D)``."""
        size = _size(images)
        if self.kind == "regression":
            return (outputs + 1) / 2 * size
        return peak(outputs, len(size)) * size


def visible(boxes: Tensor) -> Tensor:
    """Whether there is an object, ``(B,)``, from boxes ``(B, 2, D)``."""
    return boxes.flatten(1).amin(1) >= 0


def centres(boxes: Tensor, dtype: torch.dtype) -> Tensor:
    """The centres of boxes ``(B, 2, D)``, in pixels from the corner of the first pixel, ``(B, D)``."""
    return boxes.to(dtype).mean(1)


def cell_shares(at: Tensor, cells: int) -> Tensor:
    """Spread points over a grid of cells by linear interpolation.

    Args:
        at: Points, ``(B, D)``, from 0 to 1.
        cells: Number of cells, ``g^D``.

    Returns:
        Shares ``(B, g^D)``, which sum to 1. The mean of the cells' centres, weighted by them, is the point, unless it lies
        nearer to the border than the outermost centres.
    """
    grid = _grid(cells, at.shape[1], at)
    per_side = _per_side(cells, at.shape[1])
    place = (at * per_side - 0.5).clamp(0, per_side - 1)  # (B, D), in cells from the centre of the first one
    return (1 - (place[:, None] - grid).abs()).clamp(0).prod(2)


def peak(logits: Tensor, dims: int) -> Tensor:
    """Find the peak of heat maps.

    Args:
        logits: Logits of the cells, ``(B, g^D)``.
        dims: Number of dimensions D.

    Returns:
        The mean place of the most probable cell and its neighbours, ``(B, D)``, from 0 to 1.
    """
    grid = _grid(logits.shape[1], dims, logits)
    near = (grid[logits.argmax(1)][:, None] - grid).abs().amax(2) <= 1  # (B, g^D)
    weights = logits.masked_fill(~near, -math.inf).softmax(1)
    mean = (weights[:, :, None] * grid).sum(1)  # (B, D); autocast would make a matrix product in 16 bits
    return (mean + 0.5) / _per_side(logits.shape[1], dims)


def _per_side(cells: int, dims: int) -> int:
    return round(cells ** (1 / dims))


def _grid(cells: int, dims: int, like: Tensor) -> Tensor:
    """Index of each cell in each dimension, ``(g^D, D)``, in the type and on the device of ``like``."""
    side = torch.arange(_per_side(cells, dims), dtype=like.dtype, device=like.device)
    return torch.stack(torch.meshgrid(*[side] * dims, indexing="ij"), -1).flatten(0, -2)


def _size(images: Tensor) -> Tensor:
    return torch.tensor(images.shape[2:], device=images.device)
