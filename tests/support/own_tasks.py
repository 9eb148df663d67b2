"""A task as a user's own package has it."""

from typing import Any

import pytorch_lightning as pl
from torch import Tensor
from torch.nn import functional as F


class Brier(pl.LightningModule):
    """Trains a network by the Brier score, as a tutorial writes it."""

    def __init__(self, network: Any, make_optimizer: Any, make_scheduler: Any) -> None:
        super().__init__()
        self.network, self.make_optimizer = network, make_optimizer

    def configure_optimizers(self) -> Any:
        return self.make_optimizer(self.parameters())

    def error(self, batch: Any) -> Tensor:
        return (self.network(batch[0]).softmax(1) - F.one_hot(batch[1], 10)).square().sum(1).mean()

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        return self.error(batch)

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self.log("val/loss", self.error(batch))

    def test_step(self, batch: Any, batch_idx: int) -> None:
        self.log("test/brier", self.error(batch))
