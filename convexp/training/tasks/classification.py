"""Classification: cross entropy on batches of images and labels, and accuracy."""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from convexp.data import Images
from convexp.training.tasks.details import measure_details
from convexp.training.tasks.task import MakeOptimizer, MakeScheduler, Task, TaskBatch


class Classification(Task):
    """Trains a network to classify images, by cross entropy in nats.

    It logs ``loss`` and ``acc`` (``train/loss``, ``val/acc`` and so on). The loss of a training batch is

        sum_i sum_c w[c] * q_i[c] * -log p_i[c] / sum_i sum_c w[c] * y_i[c],

    y_i the shares of the classes in the label (1 and 0, or those of a mixture), and q_i these smoothed: ``(1 - e) y_i + e/K``.
    It is 0 for a batch without weight. The losses of validation and test are without smoothing and weights, so that runs with
    different ones can be compared.

    Args:
        network: Network from images ``(B, C, H, W)``, 0 to 255, to logits ``(B, K)``.
        make_optimizer: Makes the optimizer from the network's parameters; None for a module that is only evaluated.
        make_scheduler: Makes the learning-rate schedule from the optimizer and ``total_steps``; None for a constant rate.
        label_smoothing: The share ``e`` of a label that is spread over all classes, at least 0 and below 1 (Szegedy et al.
            2016, arXiv 1512.00567).
        class_weights: A weight ``w`` for each class, 0 or more; None for equal ones.
        details: Whether the test also measures ``topK``, the share of images whose class is among the K most probable ones,
            ``ece``, the expected calibration error, and the maps of ``convexp.training.tasks.details``.
        top_k: How many classes may be named.
        bins: Number of bins of the calibration error.

    Raises:
        ValueError: if ``label_smoothing`` or a weight is out of range.
    """

    metrics: ClassVar[tuple[str, ...]] = ("loss", "acc")

    def __init__(
        self,
        network: nn.Module,
        make_optimizer: MakeOptimizer | None = None,
        make_scheduler: MakeScheduler | None = None,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | None = None,
        details: bool = False,
        top_k: int = 5,
        bins: int = 15,
    ) -> None:
        super().__init__(network, make_optimizer, make_scheduler)
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"label_smoothing={label_smoothing}: should be at least 0 and below 1")
        if class_weights is not None and (min(class_weights) < 0 or not sum(class_weights)):
            raise ValueError(f"class_weights={list(class_weights)}: should be 0 or more, and not all 0")
        self.label_smoothing = label_smoothing
        if top_k < 1 or bins < 1:
            raise ValueError(f"top_k={top_k}, bins={bins}: should be 1 or more")
        self.details, self.top_k, self.bins = details, top_k, bins
        self.test_maps: dict[str, Any] = {}
        self.test_pictures: dict[str, Tensor] = {}
        self._tested: list[tuple[Tensor, Tensor]] = []  # logits and labels of each batch of the test
        self.class_weights: Tensor | None
        weights = None if class_weights is None else torch.tensor(class_weights, dtype=torch.float32)
        self.register_buffer("class_weights", weights, persistent=False)  # known from the configuration

    def loss(self, outputs: Tensor, batch: TaskBatch) -> Tensor:
        """Return the mean cross entropy of logits ``(B, K)`` and labels ``(B,)``, or of shares ``(B, K)`` of the classes."""
        weights = self.class_weights
        if weights is None:
            return F.cross_entropy(outputs, batch[1], label_smoothing=self.label_smoothing)
        total = F.cross_entropy(outputs, batch[1], weight=weights, label_smoothing=self.label_smoothing, reduction="sum")
        return total / _weight(weights, batch[1]).clamp(min=torch.finfo(weights.dtype).tiny)

    def weight(self, batch: TaskBatch) -> int | Tensor:
        """Return the sum of the images' class weights, by which the loss is divided; of mixtures that of their shares."""
        return len(batch[1]) if self.class_weights is None else _weight(self.class_weights, batch[1])

    def measure_training(self, outputs: Tensor, batch: TaskBatch) -> dict[str, Tensor]:
        """Return the number of correct predictions; of a label that is a mixture the class with the largest share counts."""
        labels = batch[1] if batch[1].ndim == 1 else batch[1].argmax(1)
        return {"acc": (outputs.argmax(1) == labels).sum()}

    def measure(self, outputs: Tensor, batch: TaskBatch) -> dict[str, Tensor]:
        """Return the cross entropies and whether the predictions are correct."""
        labels = batch[1]
        return {
            "loss": F.cross_entropy(outputs.float(), labels, reduction="none"),
            "acc": outputs.argmax(1) == labels,
        }

    def test_step(self, batch: TaskBatch, batch_idx: int) -> None:
        """Add a batch to the test metrics, and keep its logits for the details."""
        outputs = self._evaluate(batch, "test")
        if self.details:
            self._tested.append((outputs, batch[1]))

    def on_test_epoch_end(self) -> None:
        """Measure the details."""
        if not self._tested:
            return
        logits, labels = (torch.cat(parts).cpu() for parts in zip(*self._tested, strict=True))
        self._tested = []
        found = measure_details(logits.double(), labels, self.top_k, self.bins)
        self.log_dict({f"test/{name}": value for name, value in found.numbers.items()})
        self.test_maps, self.test_pictures = found.maps, found.pictures

    def recompute(self, outputs: Tensor, images: Images) -> dict[str, Tensor]:
        """Compute losses and accuracies from the logits by their formulas."""
        labels = images.labels[images.rows]
        losses = outputs.logsumexp(1) - outputs.gather(1, labels[:, None])[:, 0]
        return {"loss": losses, "acc": (outputs.argmax(1) == labels).double()}


def _weight(weights: Tensor, labels: Tensor) -> Tensor:
    """The sum of the class weights of labels ``(B,)``, or of shares ``(B, K)`` of the classes."""
    return (weights[labels] if labels.ndim == 1 else labels @ weights).sum()
