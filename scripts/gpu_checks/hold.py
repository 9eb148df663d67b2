"""Callbacks that wait in the second epoch, so that a run can be stopped there."""

import os
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

VARIABLE = "GPU_CHECK_HOLD"
EPOCH, BATCH = 1, 5  # counted from 0


def hold() -> None:
    """Wait until the file exists that the environment names, if it names one; FILE.held says that it is waited for."""
    if file := os.environ.get(VARIABLE):
        Path(f"{file}.held").touch()
        while not Path(file).exists():
            time.sleep(0.01)


class HoldBetweenBatches(Callback):
    """Waits after a batch. As it is called at every batch, Lightning's loop makes the steps."""

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Wait, if this is the batch."""
        if (trainer.current_epoch, batch_idx) == (EPOCH, BATCH):
            hold()


class HoldBeforeBatches(Callback):
    """Waits before the first batch of the epoch: a signal then takes effect after the next step, whoever makes it."""

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Wait, if this is the epoch."""
        if trainer.current_epoch == EPOCH:
            hold()
