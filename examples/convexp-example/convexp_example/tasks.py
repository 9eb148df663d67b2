"""A task: a LightningModule. One that classifies with another loss extends convexp's, and replaces a method."""

from torch import Tensor, nn
from torch.nn import functional as F

from convexp.training.tasks.classification import Classification
from convexp.training.tasks.task import MakeOptimizer, MakeScheduler, TaskBatch


class Margin(Classification):
    """Classify with the hinge loss: the right class should lead every other by ``margin`` (Crammer & Singer 2001).

    Args:
        network: Network from images to outputs ``(B, K)``. convexp passes it.
        make_optimizer: Makes the optimizer. convexp passes it.
        make_scheduler: Makes the learning-rate schedule. convexp passes it.
        margin: By how much the right class should lead, above 0.
    """

    def __init__(
        self,
        network: nn.Module,
        make_optimizer: MakeOptimizer | None = None,
        make_scheduler: MakeScheduler | None = None,
        margin: float = 1.0,
    ) -> None:
        super().__init__(network, make_optimizer, make_scheduler)
        if margin <= 0:
            raise ValueError(f"margin={margin}: should be above 0")
        self.margin = margin

    def loss(self, outputs: Tensor, batch: TaskBatch) -> Tensor:
        """Return the loss of a training batch; validation and test report cross entropy and accuracy, as without this task."""
        return F.multi_margin_loss(outputs, batch[1], margin=self.margin)
