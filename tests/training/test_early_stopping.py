"""Early stopping counts epochs without improvement; one without a number is such an epoch, and no reason to stop at once."""

import math

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from convexp.training.callbacks import early_stopping

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]  # Lightning's, of this machine and of torch


class Scored(pl.LightningModule):
    """Logs one score after the other, whatever it sees."""

    def __init__(self, scores):
        super().__init__()
        self.layer, self.scores = torch.nn.Linear(1, 1), scores

    def training_step(self, batch, _):
        return self.layer(batch).sum()

    def validation_step(self, _batch, _index):
        self.log("val/score", self.scores[self.current_epoch])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.0)


@pytest.mark.parametrize(
    ("scores", "epochs"),
    [
        ([math.nan, 1.0, 2.0, 3.0, 4.0], 5),
        ([1.0, math.nan, 2.0, math.nan, 3.0], 5),
        ([1.0, math.nan, math.nan, 2.0, 3.0], 3),
        ([1.0, 2.0, 1.0, 1.0, 3.0], 4),
    ],
)
def test_epochs_without_improvement_are_counted(scores, epochs, tmp_path):
    images = DataLoader(torch.zeros(1, 1))
    quiet = dict.fromkeys(("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary"), False)
    callbacks = [early_stopping("val/score", patience=2, mode="max")]
    trainer = pl.Trainer(accelerator="cpu", max_epochs=5, callbacks=callbacks, default_root_dir=tmp_path, **quiet)
    trainer.fit(Scored(scores), images, images)
    assert trainer.current_epoch == epochs
