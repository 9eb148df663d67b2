"""Stops a run when a search asks for it."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from convexp.errors import PrunedError
from convexp.records.pruning import reason_to_stop, report_value


class StopWhenPruned(Callback):
    """Reports the monitored metric after each epoch, and stops before the next if the search has decided so.

    Args:
        root: Folder of the search.
        run: Name of the run's folder.
        monitor: Name of the metric.
    """

    def __init__(self, root: Path, run: str, monitor: str) -> None:
        self.root = root
        self.run = run
        self.monitor = monitor

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Report the metric."""
        if not trainer.sanity_checking:
            report_value(self.root, self.run, trainer.current_epoch + 1, float(trainer.callback_metrics[self.monitor]))

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int) -> None:
        """Stop at the first batch of an epoch, when the checkpoint of the epoch before is complete.

        Raises:
            PrunedError: if the search asks for it.
        """
        if batch_idx == 0 and (reason := reason_to_stop(self.root, self.run)) is not None:
            raise PrunedError(f"pruned after epoch {trainer.current_epoch}, {reason}")
