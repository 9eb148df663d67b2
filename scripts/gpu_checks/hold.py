"""A callback that waits in the middle of an epoch, so that a run can be stopped there."""

import os
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

VARIABLE = "GPU_CHECK_HOLD"
EPOCH, BATCH = 1, 5  # counted from 0


class Hold(Callback):
    """Waits after a batch of the second epoch until the file exists that the environment names, and says so in FILE.held."""

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Wait, if this is the batch."""
        file = os.environ.get(VARIABLE)
        if file and (trainer.current_epoch, batch_idx) == (EPOCH, BATCH):
            Path(f"{file}.held").touch()
            while not Path(file).exists():
                time.sleep(0.01)
